import { setTimeout as sleep } from 'node:timers/promises';
import type { TestClock } from '../../support/test-clock.ts';

/** A clock that stands still until the test moves it, so that what it says of a moment is exact. */
export function createStillClock(): TestClock {
  let nowMs = Math.floor(Date.now() / 1000) * 1000;
  return {
    now: () => nowMs,
    sleep: (milliseconds) => sleep(milliseconds),
    correct: () => {},
    advance: (milliseconds) => {
      nowMs += milliseconds;
    },
  };
}
