import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

export interface SystemClockOptions {
  /** The machine's clock, in milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface CorrectedClock extends Clock {
  /** Tells what storage's clock said at some time within the last `tripMs` (default 0). */
  correct(serverNowMs: number, tripMs?: number): void;
}

/** Storage's `Date` is cut to the second: less than this is no difference. */
const toleranceMs = 3000;

/**
 * The machine's clock, corrected by storage's, so that a machine whose clock is minutes off neither serves what has
 * lapsed nor refreshes too early. Small differences are left alone: the clock must not jump back and forth.
 */
export function createSystemClock({ now = Date.now }: SystemClockOptions = {}): CorrectedClock {
  let offsetMs = 0;
  return {
    now: () => now() + offsetMs,
    correct(serverNowMs, tripMs = 0) {
      // A late answer is no clock that is behind: the true offset lies between these two.
      const leastMs = serverNowMs - now();
      const nearest = (offset: number) => Math.min(Math.max(offset, leastMs), leastMs + tripMs);
      const isRight = (offset: number) => Math.abs(offset - nearest(offset)) <= toleranceMs;
      if (!isRight(offsetMs)) offsetMs = isRight(0) ? 0 : nearest(offsetMs);
    },
    sleep: (milliseconds) => sleep(milliseconds),
  };
}
