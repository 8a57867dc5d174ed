/** Requests that a proxy keeps back until the test decides. */
export interface Hold {
  /** How many have come so far. */
  count(): number;
  /** Resolves when `count` requests (default 1) wait here. */
  waiting(count?: number): Promise<void>;
  /** Lets these, and those still to come, through. */
  release(): void;
  /** Breaks the connections of these, and of those still to come. */
  abandon(): void;
}

export type HoldEnd = 'released' | 'abandoned';

export interface HoldGate extends Hold {
  arrive(): Promise<HoldEnd>;
}

export function createHold(): HoldGate {
  const ended = Promise.withResolvers<HoldEnd>();
  let arrived = 0;
  let watchers: { readonly count: number; readonly resolve: () => void }[] = [];
  return {
    count: () => arrived,
    arrive: () => {
      arrived += 1;
      for (const { count, resolve } of watchers) if (arrived >= count) resolve();
      watchers = watchers.filter(({ count }) => count > arrived);
      return ended.promise;
    },
    waiting: (count = 1) =>
      arrived >= count ? Promise.resolve() : new Promise((resolve) => void watchers.push({ count, resolve })),
    release: () => ended.resolve('released'),
    abandon: () => ended.resolve('abandoned'),
  };
}
