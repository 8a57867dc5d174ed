import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

export interface SystemClockOptions {
  /** The machine's clock, in milliseconds since the epoch. */
  readonly now?: () => number;
}

export interface CorrectedClock extends Clock {
  /** Tells what storage's clock says now. */
  correct(serverNowMs: number): void;
}

/** Storage's `Date` is cut to the second and an answer takes time to arrive: less than this is no difference. */
const toleranceMs = 3000;

/**
 * The machine's clock, corrected by storage's, so that a machine whose clock is minutes off neither serves what has
 * lapsed nor refreshes too early. Small differences are left alone: the clock must not jump back and forth.
 */
export function createSystemClock({ now = Date.now }: SystemClockOptions = {}): CorrectedClock {
  let offsetMs = 0;
  return {
    now: () => now() + offsetMs,
    correct(serverNowMs) {
      const measuredMs = serverNowMs - now();
      if (Math.abs(measuredMs - offsetMs) <= toleranceMs) return;
      offsetMs = Math.abs(measuredMs) <= toleranceMs ? 0 : measuredMs;
    },
    sleep: (milliseconds) => sleep(milliseconds),
  };
}
