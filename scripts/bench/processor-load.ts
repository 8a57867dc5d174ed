import { availableParallelism } from 'node:os';

/** Seconds of the processor that each process has taken so far, by its name. */
export type CpuSeconds = Readonly<Record<string, number>>;

export interface Load {
  readonly before: CpuSeconds;
  readonly after: CpuSeconds;
  /** How long it took. */
  readonly seconds: number;
  /** How much of that the broker's one thread had something to do: 1 is all of it. */
  readonly busy: number;
  /** How many refreshes that was. */
  readonly refreshed: number;
}

/** Who took how much of the processor, and how many refreshes a second that allows at best. */
export function describeLoad({ before, after, seconds, busy, refreshed }: Load): string {
  const atMost = (cpuSeconds: number) => `${Math.round(refreshed / cpuSeconds)}/s`;
  const taken = Object.entries(after)
    .map(([name, value]) => ({ name, value: value - (before[name] ?? 0) }))
    .toSorted((a, b) => b.value - a.value);
  const cores = availableParallelism();
  const all = taken.reduce((sum, { value }) => sum + value, 0);
  const list = taken.map(({ name, value }) => `${name} ${value.toFixed(1)} s (at most ${atMost(value)} on a core)`);
  return `Processor time in ${seconds.toFixed(1)} s: ${list.join(', ')}; together at most ${atMost(all / cores)} on ${cores} cores. The broker’s thread waited ${Math.round((1 - busy) * 100)} % of the time`;
}
