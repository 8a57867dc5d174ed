import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProviderGate } from '../../ports/provider-gate.ts';

export interface ProviderGateOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Calls to one provider at once. Default 16. */
  readonly concurrency?: number;
  /** Calls that wait for room. Default 256. */
  readonly waiting?: number;
  /** Failures in a row, without a success between them, that stop the calls. Default 5. */
  readonly failures?: number;
  /** How long until the next probe. Default 30 s. */
  readonly probeEveryMs?: number;
}

const mostProviders = 10_000;

/** Gates in this process's memory, one a provider; those not used for long are forgotten. */
export function createProviderGate(options: ProviderGateOptions): ProviderGate {
  const gates = new LRUCache<string, Gate>({ max: mostProviders });
  const gateOf = (provider: string): Gate => {
    const gate = gates.get(provider) ?? createGate(options);
    gates.set(provider, gate);
    return gate;
  };
  return {
    assertOpen: (provider) => gates.get(provider)?.assertOpen(),
    withRoom: (provider, work) => gateOf(provider).withRoom(work),
    attempt: (provider, call) => gateOf(provider).attempt(call),
    run: (provider, call) => {
      const gate = gateOf(provider);
      return gate.withRoom(() => gate.attempt(call));
    },
  };
}

interface Gate {
  assertOpen(): void;
  withRoom<Result>(work: () => Promise<Result>): Promise<Result>;
  attempt<Result>(call: () => Promise<Result>): Promise<Result>;
}

function createGate(options: ProviderGateOptions): Gate {
  const { clock, concurrency = 16, waiting = 256, failures = 5, probeEveryMs = 30_000 } = options;
  const limit = pLimit(concurrency);
  let failed = 0;
  let nextProbeAt = 0;
  const isStopped = () => failed >= failures && clock.now() < nextProbeAt;

  async function attempt<Result>(call: () => Promise<Result>): Promise<Result> {
    // While this one waited for room, others may have found the provider down.
    if (isStopped()) throw paused(nextProbeAt - clock.now());
    // The others stay stopped while one of them tries.
    nextProbeAt = clock.now() + probeEveryMs;
    try {
      const result = await call();
      failed = 0;
      return result;
    } catch (error) {
      failed = isDown(error) ? failed + 1 : 0;
      nextProbeAt = clock.now() + probeEveryMs;
      throw error;
    }
  }

  return {
    assertOpen() {
      if (isStopped()) throw paused(nextProbeAt - clock.now());
    },
    withRoom(work) {
      if (limit.pendingCount >= waiting) return Promise.reject(paused(1000));
      return limit(work);
    },
    attempt,
  };
}

/** A provider that answers, whatever it says, is not down. What never reached it says nothing, but is rare. */
function isDown(error: unknown): boolean {
  return hasCode(error, 'provider_unavailable', 'provider_answer_invalid');
}

function paused(waitMs: number): BrokerError {
  return new BrokerError('provider_paused', 'The provider has failed several times in a row. It is tried again soon.', {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}
