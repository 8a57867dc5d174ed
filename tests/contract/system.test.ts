import { setTimeout as sleep } from 'node:timers/promises';
import { createDefaultHttpClient, type HttpClient } from '@azure/core-rest-pipeline';
import { describe, expect, it } from 'vitest';
import { createMemoryCache } from '../../src/adapters/system/memory-cache.ts';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';
import { createSystemRandom } from '../../src/adapters/system/system-random.ts';
import { createTablesHarness } from '../support/tables-harness.ts';
import { sampleConnection } from '../support/tables-samples.ts';

describe('the system clock', () => {
  const machine = 1_800_000_000_000;
  const clockThatIsOff = () => createSystemClock({ now: () => machine });

  it("is the machine's while storage agrees to within three seconds", () => {
    const clock = clockThatIsOff();
    for (const difference of [0, 3000, -3000]) clock.correct(machine + difference);
    expect(clock.now()).toBe(machine);
  });

  it.each([120_000, -120_000])('follows storage when the machine is %d ms off', (difference) => {
    const clock = clockThatIsOff();
    clock.correct(machine + difference);
    expect(clock.now()).toBe(machine + difference);
  });

  it('does not jitter with the seconds of an answer once it is corrected', () => {
    const clock = clockThatIsOff();
    clock.correct(machine + 120_000);
    clock.correct(machine + 120_900);
    expect(clock.now()).toBe(machine + 120_000);
  });

  it('returns to the machine once that is right again', () => {
    let now = machine;
    const clock = createSystemClock({ now: () => now });
    clock.correct(machine + 120_000);
    now = machine + 120_000;
    clock.correct(machine + 120_400);
    expect(clock.now()).toBe(now);
  });

  it('takes an answer that travelled for long neither for a clock that is behind, nor for one that is right', () => {
    const clock = clockThatIsOff();
    for (const agoMs of [5900, 60_000, -2900]) clock.correct(machine - agoMs, 60_000);
    expect(clock.now()).toBe(machine);
    clock.correct(machine - 64_000, 60_000);
    expect(clock.now(), 'it was said before the question was asked').toBe(machine - 4000);
    clock.correct(machine + 5000, 60_000);
    expect(clock.now(), 'it was said after the answer had come').toBe(machine + 5000);
  });

  it('is told how long an answer travelled', async () => {
    const trips: number[] = [];
    const client = createDefaultHttpClient();
    const httpClient: HttpClient = {
      sendRequest: async (request) => {
        const response = await client.sendRequest(request);
        await sleep(100);
        return response;
      },
    };
    const onStorageDate = (_serverNowMs: number, tripMs: number) => void trips.push(tripMs);
    const { stores } = await createTablesHarness({ onStorageDate, httpClient });
    trips.length = 0;
    await stores.connections.get(sampleConnection());
    expect(trips).toHaveLength(1);
    expect(trips[0]).toBeGreaterThan(90);
  });

  it("is told storage's time by every answer of the tables", async () => {
    const told: number[] = [];
    const { stores } = await createTablesHarness({ onStorageDate: (serverNowMs) => void told.push(serverNowMs) });
    told.length = 0;
    await stores.connections.get(sampleConnection());
    expect(told).toHaveLength(1);
    expect(Math.abs((told[0] ?? 0) - Date.now())).toBeLessThan(3000);
  });

  it('sleeps', async () => {
    const before = performance.now();
    await createSystemClock().sleep(30);
    expect(performance.now() - before).toBeGreaterThan(25);
  });
});

describe('system randomness', () => {
  const random = createSystemRandom();

  it('gives tokens of as many bytes as asked for, ids of 128 bits, and no two alike', () => {
    const tokens = Array.from({ length: 1000 }, () => random.token(32));
    expect(new Set(tokens).size).toBe(1000);
    expect(tokens.every((token) => /^[A-Za-z0-9_-]{43}$/.test(token))).toBe(true);
    expect(random.id()).toMatch(/^[0-9a-f]{32}$/);
    expect(random.id()).not.toBe(random.id());
  });

  it('gives fractions from 0 up to, not including, 1', () => {
    const fractions = Array.from({ length: 1000 }, () => random.fraction());
    expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true);
    expect(Math.min(...fractions)).toBeLessThan(0.1);
    expect(Math.max(...fractions)).toBeGreaterThan(0.9);
  });
});

describe('the memory cache', () => {
  function cacheOf(options: { readonly maxItems?: number; readonly lifeMs?: number } = {}) {
    const clock = { nowMs: 0, now: () => clock.nowMs };
    return { clock, cache: createMemoryCache<string>({ maxItems: 10, lifeMs: 5000, clock, ...options }) };
  }

  it('remembers until the end of its life, counted from when it was set', () => {
    const { cache, clock } = cacheOf();
    cache.set('a', 'one');
    clock.nowMs = 4999;
    expect(cache.get('a')).toBe('one');
    clock.nowMs = 5000;
    expect(cache.get('a')).toBeUndefined();
  });

  it('counts the life from when the value began to be read, where that is said', () => {
    const { cache, clock } = cacheOf();
    clock.nowMs = 1000;
    cache.set('a', 'one', 400);
    clock.nowMs = 5399;
    expect(cache.get('a')).toBe('one');
    clock.nowMs = 5400;
    expect(cache.get('a')).toBeUndefined();
  });

  it('forgets what would last for longer than a life, once the clock has been put back', () => {
    const { cache, clock } = cacheOf();
    clock.nowMs = 120_000;
    cache.set('a', 'one');
    clock.nowMs = 10;
    expect(cache.get('a')).toBeUndefined();
  });

  it('does not keep what has lapsed until it is full: each new item makes two old ones go', () => {
    const { cache, clock } = cacheOf();
    for (const key of ['a', 'b', 'c']) cache.set(key, key);
    clock.nowMs = 5000;
    cache.set('d', 'd');
    // By a clock that was put back, what is still there would live.
    clock.nowMs = 4000;
    expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([undefined, undefined, 'c']);
  });

  it('does not remember what began to be read before it was cleared', () => {
    const { cache, clock } = cacheOf();
    clock.nowMs = 1000;
    cache.clear();
    clock.nowMs = 1001;
    cache.set('before', 'old', 1000);
    cache.set('after', 'new', 1001);
    expect([cache.get('before'), cache.get('after')]).toEqual([undefined, 'new']);
  });

  it('forgets what it is told to forget', () => {
    const { cache } = cacheOf();
    for (const key of ['a', 'b', 'c']) cache.set(key, key);
    cache.delete('a');
    expect([cache.get('a'), cache.get('b')]).toEqual([undefined, 'b']);
    cache.clear();
    expect(cache.get('c')).toBeUndefined();
  });

  it('holds no more than it may, and drops what was used longest ago', () => {
    const { cache } = cacheOf({ maxItems: 2 });
    cache.set('a', 'one');
    cache.set('b', 'two');
    cache.get('a');
    cache.set('c', 'three');
    expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual(['one', undefined, 'three']);
  });

  it('remembers nothing with a life of 0', () => {
    const { cache } = cacheOf({ lifeMs: 0 });
    cache.set('a', 'one');
    expect(cache.get('a')).toBeUndefined();
  });
});
