import { LRUCache } from 'lru-cache';
import type { RateLimiterRes } from 'rate-limiter-flexible';
import RateLimiterMemory from 'rate-limiter-flexible/lib/RateLimiterMemory.js';
import { BrokerError } from '../../domain/errors.ts';
import type { RateLimiter } from '../../ports/rate-limiter.ts';

export interface RateLimiterOptions {
  /** 0 counts nothing. */
  readonly perMinute: number;
  /** Beyond that, the key that was counted longest ago begins anew. Default 10,000. */
  readonly maxKeys?: number;
  /** Says what there is too much of. */
  readonly message: string;
}

const windowSeconds = 60;

/** A limiter in this process's memory. A key's minute begins with its first call. */
export function createRateLimiter({ perMinute, maxKeys = 10_000, message }: RateLimiterOptions): RateLimiter {
  if (perMinute === 0) return { count: async () => {} };
  const limiter = new RateLimiterMemory({ points: perMinute, duration: windowSeconds });
  // The library forgets a key after its minute, but holds any number until then.
  const held = new LRUCache<string, true>({ max: maxKeys, dispose: (_, key) => void limiter.delete(key) });
  return {
    async count(key) {
      if (held.get(key) === undefined) held.set(key, true);
      try {
        await limiter.consume(key);
      } catch (refusal) {
        throw new BrokerError('rate_limited', message, { retryAfterSeconds: secondsUntilNext(refusal) });
      }
    },
  };
}

/** The library rejects with its count, which is no error, and with nothing else. */
function secondsUntilNext(refusal: unknown): number {
  const { msBeforeNext } = refusal as RateLimiterRes;
  return Math.max(1, Math.ceil(msBeforeNext / 1000));
}
