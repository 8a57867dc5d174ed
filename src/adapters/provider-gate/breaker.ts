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

/**
 * Stops calls while all of them fail, but for a probe now and then. Organisations that have not failed have a probe of
 * their own: those that have would else take every one of them, and it may be only they that fail.
 */
export interface Breaker {
  /** How long an organisation's calls are stopped still. 0: they are not. */
  stoppedMs(org: string): number;
  /** A call begins: while it tries, the others stay stopped. */
  begins(org: string): void;
  succeeded(): void;
  failed(org: string, error: unknown): void;
}

const mostKnown = 10_000;
/** Calls that were under way when the last one failed have ended by then, and one of them may have got through. */
const othersWaitMs = 10_000;

export function createBreaker({ clock, failures, orgs, probeEveryMs }: BreakerOptions): Breaker {
  let inRow = 0;
  const nextProbeAt = { ofFailed: 0, ofOthers: 0 };
  const failedOrgs = new Set<string>();
  const groupOf = (org: string) => (failedOrgs.has(org) ? 'ofFailed' : 'ofOthers');
  const isOpen = () => inRow >= failures && failedOrgs.size >= orgs;

  function succeeded(): void {
    inRow = 0;
    failedOrgs.clear();
  }

  return {
    stoppedMs: (org) => (isOpen() ? Math.max(0, nextProbeAt[groupOf(org)] - clock.now()) : 0),
    begins(org) {
      if (isOpen()) nextProbeAt[groupOf(org)] = clock.now() + probeEveryMs;
    },
    succeeded,
    failed(org, error) {
      if (!isDown(error)) {
        succeeded();
        return;
      }
      const wasOpen = isOpen();
      inRow += 1;
      if (failedOrgs.size < mostKnown) failedOrgs.add(org);
      nextProbeAt.ofFailed = clock.now() + probeEveryMs;
      if (!wasOpen && isOpen()) nextProbeAt.ofOthers = clock.now() + othersWaitMs;
    },
  };
}

/** A provider that answers, whatever it says, is not down. What never reached it says nothing, but is rare. */
function isDown(error: unknown): boolean {
  return hasCode(error, 'provider_unavailable', 'provider_answer_invalid');
}
