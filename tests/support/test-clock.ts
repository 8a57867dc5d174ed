import type { CorrectedClock } from '../../src/adapters/system/system-clock.ts';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';

export interface TestClock extends CorrectedClock {
  /** Puts the clock forward. */
  advance(milliseconds: number): void;
}

/** The machine's clock, which a test can put forward; storage does not correct it. Sleeping takes real time. */
export function createTestClock(): TestClock {
  let aheadMs = 0;
  const clock = createSystemClock({ now: () => Date.now() + aheadMs });
  return {
    now: () => clock.now(),
    sleep: (milliseconds) => clock.sleep(milliseconds),
    correct: () => {},
    advance: (milliseconds) => {
      aheadMs += milliseconds;
    },
  };
}
