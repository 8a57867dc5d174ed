import { type ProviderClass, providerClasses } from './provider.ts';

/** What became of a grant after an interruption at a point. */
export interface PointOutcome {
  readonly point: string;
  readonly kind: ProviderClass;
  readonly outcome: string;
}

/** For `console.table`: a row for each point, a column for each class of providers, and how many came out how. */
export function outcomeTable(outcomes: readonly PointOutcome[]): Record<string, Record<string, string>> {
  const cell = (point: string, kind: ProviderClass): string => {
    const here = outcomes.filter((each) => each.point === point && each.kind === kind);
    const counts = Map.groupBy(here, ({ outcome }) => outcome);
    return [...counts].map(([outcome, { length }]) => `${length} ${outcome}`).join(', ');
  };
  const points = [...new Set(outcomes.map(({ point }) => point))];
  return Object.fromEntries(
    points.map((point) => [point, Object.fromEntries(providerClasses.map((kind) => [kind, cell(point, kind)]))]),
  );
}
