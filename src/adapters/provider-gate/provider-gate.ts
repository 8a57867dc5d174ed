import { LRUCache } from 'lru-cache';
import pLimit from 'p-limit';
import { BrokerError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ProviderGate, ProviderKey } from '../../ports/provider-gate.ts';
import { type Breaker, createBreaker } from './breaker.ts';

export interface ProviderGateOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** Calls of one organisation to one provider at once. Default 16. */
  readonly concurrency?: number;
  /** Calls that wait for room. Default 256. */
  readonly waiting?: number;
  /** Failures in a row, without a success between them, that stop the calls. Default 5. */
  readonly failures?: number;
  /** Organisations among them that stop the calls of every organisation. Default 3. */
  readonly orgs?: number;
  /** How long until the next probe. Default 30 s. */
  readonly probeEveryMs?: number;
}

const mostGates = 10_000;
const backgroundShare = 0.75;

/** Gates in this process's memory, one a provider and organisation; those not used for long are forgotten. */
export function createProviderGate(options: ProviderGateOptions): ProviderGate {
  const { clock, failures = 5, orgs = 3, probeEveryMs = 30_000 } = options;
  const breakers = createPool(() => createBreaker({ clock, failures, orgs, probeEveryMs }));
  const gates = createPool(() => createGate(options, createBreaker({ clock, failures, orgs: 1, probeEveryMs })));
  const gateOf = ({ org, server }: ProviderKey) => gates(`${org}|${server}`);

  function assertOpen(key: ProviderKey): void {
    const stoppedMs = Math.max(gateOf(key).breaker.stoppedMs(key.org), breakers(key.server).stoppedMs(key.org));
    if (stoppedMs > 0) throw paused(stoppedMs);
  }

  async function attempt<Result>(key: ProviderKey, call: () => Promise<Result>): Promise<Result> {
    // While this one waited for room, others may have found the provider down.
    assertOpen(key);
    const both = [gateOf(key).breaker, breakers(key.server)];
    for (const breaker of both) breaker.begins(key.org);
    try {
      const result = await call();
      for (const breaker of both) breaker.succeeded();
      return result;
    } catch (error) {
      for (const breaker of both) breaker.failed(key.org, error);
      throw error;
    }
  }

  return {
    assertOpen,
    withRoom: (key, work) => gateOf(key).withRoom(work),
    inBackground: (key, work) => gateOf(key).inBackground(work),
    attempt,
    run: (key, call) => gateOf(key).withRoom(() => attempt(key, call)),
  };
}

function createPool<Value extends object>(create: () => Value): (key: string) => Value {
  const known = new LRUCache<string, Value>({ max: mostGates });
  return (key) => {
    const value = known.get(key) ?? create();
    known.set(key, value);
    return value;
  };
}

interface Gate {
  readonly breaker: Breaker;
  withRoom<Result>(work: () => Promise<Result>): Promise<Result>;
  inBackground<Result>(work: () => Promise<Result>): Promise<Result>;
}

function createGate({ concurrency = 16, waiting = 256 }: ProviderGateOptions, breaker: Breaker): Gate {
  const limit = pLimit(concurrency);
  const inBackground = pLimit(Math.max(1, Math.floor(concurrency * backgroundShare)));
  return {
    breaker,
    inBackground,
    withRoom(work) {
      if (limit.pendingCount >= waiting) return Promise.reject(paused(1000));
      return limit(work);
    },
  };
}

function paused(waitMs: number): BrokerError {
  return new BrokerError('provider_paused', 'The provider has failed several times in a row. It is tried again soon.', {
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}
