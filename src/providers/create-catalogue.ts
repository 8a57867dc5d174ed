import type { Provider } from '../domain/provider.ts';
import { providerSchema } from './provider-schema.ts';

interface Catalogue {
  get(id: string): Provider | undefined;
  /** All of them, by id. */
  list(): readonly Provider[];
}

/**
 * A catalogue of entries. They are checked once, when the catalogue is first asked: it then throws an error that names
 * every problem, as a deployment with a faulty entry must not run.
 */
export function createCatalogue(entries: readonly Provider[]): Catalogue {
  let checked: ReadonlyMap<string, Provider> | undefined;
  const byId = () => {
    checked ??= check(entries);
    return checked;
  };
  return {
    get: (id) => byId().get(id),
    list: () => [...byId().values()],
  };
}

function check(entries: readonly Provider[]): ReadonlyMap<string, Provider> {
  const problems = entries.flatMap((entry) =>
    (providerSchema.safeParse(entry).error?.issues ?? []).map(
      ({ path, message }) => `${entry.id}: ${path.join('.')}: ${message}`,
    ),
  );
  const sorted = entries.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const byId = new Map(sorted.map((entry) => [entry.id, entry]));
  if (byId.size < entries.length) problems.push('an id stands for two entries');
  if (problems.length > 0) throw new Error(`The catalogue of providers is faulty:\n${problems.join('\n')}`);
  return byId;
}
