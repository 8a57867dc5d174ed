import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRateLimiter } from '../../../src/adapters/rate-limiter/rate-limiter.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const message = 'Too many.';

async function countTimes(limiter: ReturnType<typeof createRateLimiter>, key: string, times: number) {
  for (let time = 0; time < times; time += 1) await limiter.count(key);
}

describe('S-69 the rate limiter', () => {
  test('lets a key through as often as it may in a minute, then says when to come again', async () => {
    const limiter = createRateLimiter({ perMinute: 3, message });
    await countTimes(limiter, 'a', 3);
    await expect(limiter.count('a')).rejects.toMatchObject({ code: 'rate_limited', message, retryAfterSeconds: 60 });
    vi.advanceTimersByTime(45_500);
    await expect(limiter.count('a')).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 15 });
    vi.advanceTimersByTime(14_500);
    await countTimes(limiter, 'a', 3);
    await expect(limiter.count('a')).rejects.toMatchObject({ code: 'rate_limited' });
  });

  test('counts each key by itself', async () => {
    const limiter = createRateLimiter({ perMinute: 1, message });
    await limiter.count('a');
    await expect(limiter.count('a')).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(limiter.count('b')).resolves.toBeUndefined();
  });

  test('holds a bounded number of keys: what was counted longest ago begins anew', async () => {
    const limiter = createRateLimiter({ perMinute: 1, maxKeys: 2, message });
    await limiter.count('a');
    await limiter.count('b');
    await expect(limiter.count('a')).rejects.toMatchObject({ code: 'rate_limited' });
    await limiter.count('c');
    expect(vi.getTimerCount(), 'keys in memory').toBe(2);
    await expect(limiter.count('a')).rejects.toMatchObject({ code: 'rate_limited' });
    await limiter.count('b');
  });

  test('forgets every key after its minute', async () => {
    const limiter = createRateLimiter({ perMinute: 1, message });
    await Promise.all(Array.from({ length: 100 }, (_, index) => limiter.count(`${index}`)));
    expect(vi.getTimerCount()).toBe(100);
    vi.advanceTimersByTime(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('counts nothing at 0', async () => {
    const limiter = createRateLimiter({ perMinute: 0, message });
    await countTimes(limiter, 'a', 100_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
