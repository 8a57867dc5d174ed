import type { Clock } from '../../src/ports/clock.ts';

/** A clock that goes on to the next thing to happen as soon as nothing else is left to do. */
export interface VirtualClock extends Clock {
  /** Runs work that waits by this clock alone. */
  run<Result>(work: Promise<Result>): Promise<Result>;
}

export function createVirtualClock(startsAt = 1_700_003_500_000): VirtualClock {
  let nowMs = startsAt;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  return {
    now: () => nowMs,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        sleepers.push({ at: nowMs + milliseconds, wake });
      }),
    async run(work) {
      let isEnded = false;
      const ended = () => {
        isEnded = true;
      };
      work.then(ended, ended);
      while (!isEnded) {
        await new Promise((resolve) => setImmediate(resolve));
        const next = Math.min(...sleepers.map(({ at }) => at));
        if (isEnded || !Number.isFinite(next)) continue;
        nowMs = Math.max(nowMs, next);
        const woken = sleepers.filter(({ at }) => at <= nowMs);
        sleepers = sleepers.filter(({ at }) => at > nowMs);
        for (const { wake } of woken) wake();
      }
      return work;
    },
  };
}
