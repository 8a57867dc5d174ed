import { writeFileSync } from 'node:fs';

export interface HistoryEvent {
  /** Milliseconds since the world began, by a clock that only moves forward. */
  readonly atMs: number;
  /** Who: a proxy, a host process, the test. */
  readonly who: string;
  readonly what: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Everything that happened in a world, in order. It holds hashes of tokens, never a token. */
export interface History {
  readonly events: readonly HistoryEvent[];
  /** Milliseconds since the world began. */
  now(): number;
  note(who: string, what: string, facts?: Readonly<Record<string, unknown>>): void;
  /** One JSON object a line. */
  writeTo(path: string): void;
}

export function createHistory(): History {
  const events: HistoryEvent[] = [];
  const startedAt = performance.now();
  const now = (): number => Math.round((performance.now() - startedAt) * 10) / 10;
  return {
    events,
    now,
    note: (who, what, facts = {}) => void events.push({ atMs: now(), who, what, facts }),
    writeTo: (path) => writeFileSync(path, events.map((event) => `${JSON.stringify(event)}\n`).join('')),
  };
}
