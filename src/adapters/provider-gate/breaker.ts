import { hasCode } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';

export interface BreakerOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Failures in a row, without a success between them, that stop the calls. */
  readonly failures: number;
  /** How many organisations must be among those that failed. */
  readonly orgs: number;
  /** How long until the next probe. */
  readonly probeEveryMs: number;
}

/** Stops calls while all of them fail, but for a probe now and then. */
export interface Breaker {
  /** How long calls are stopped still. 0: they are not. */
  stoppedMs(): number;
  /** A call begins: while it tries, the others stay stopped. */
  begins(): void;
  succeeded(): void;
  failed(org: string, error: unknown): void;
}

export function createBreaker({ clock, failures, orgs, probeEveryMs }: BreakerOptions): Breaker {
  let inRow = 0;
  let nextProbeAt = 0;
  const failedOrgs = new Set<string>();

  function succeeded(): void {
    inRow = 0;
    failedOrgs.clear();
  }

  return {
    stoppedMs: () => (inRow >= failures && failedOrgs.size >= orgs ? Math.max(0, nextProbeAt - clock.now()) : 0),
    begins() {
      nextProbeAt = clock.now() + probeEveryMs;
    },
    succeeded,
    failed(org, error) {
      nextProbeAt = clock.now() + probeEveryMs;
      if (!isDown(error)) {
        succeeded();
        return;
      }
      inRow += 1;
      if (failedOrgs.size < orgs) failedOrgs.add(org);
    },
  };
}

/** A provider that answers, whatever it says, is not down. What never reached it says nothing, but is rare. */
function isDown(error: unknown): boolean {
  return hasCode(error, 'provider_unavailable', 'provider_answer_invalid');
}
