import { beforeEach, describe, expect, it } from 'vitest';
import { createProviderGate } from '../../../src/adapters/provider-gate/provider-gate.ts';
import { BrokerError, type ErrorCode } from '../../../src/domain/errors.ts';
import type { ProviderGate } from '../../../src/ports/provider-gate.ts';

let now: number;
let calls: number;
let gate: ProviderGate;
beforeEach(() => {
  [now, calls] = [1_000_000, 0];
  gate = createProviderGate({ clock: { now: () => now }, concurrency: 2, waiting: 3 });
});

const paused = expect.objectContaining({ code: 'provider_paused', retryAfterSeconds: expect.any(Number) });

async function fail(provider: string, code: ErrorCode = 'provider_unavailable'): Promise<unknown> {
  const call = async () => {
    calls += 1;
    throw new BrokerError(code, 'no');
  };
  return gate.run(provider, call).catch((error: unknown) => error);
}

async function succeed(provider: string): Promise<unknown> {
  return gate
    .run(provider, async () => {
      calls += 1;
      return 'well';
    })
    .catch((error: unknown) => error);
}

describe('a provider that is down (S-70)', () => {
  it('is not called any more after five failures in a row, and the others are', async () => {
    for (let time = 0; time < 5; time += 1) {
      gate.assertOpen('down');
      expect(await fail('down')).toMatchObject({ code: 'provider_unavailable' });
    }
    expect(() => gate.assertOpen('down')).toThrow(paused);
    expect(await succeed('down')).toEqual(paused);
    expect(calls).toBe(5);
    gate.assertOpen('well');
    expect(await succeed('well')).toBe('well');
  });

  it('gets one probe in 30 s, whatever else waits, and is called again once a probe succeeds', async () => {
    for (let time = 0; time < 5; time += 1) await fail('down');
    now += 29_999;
    expect(() => gate.assertOpen('down')).toThrow(paused);
    now += 1;
    const probes = await Promise.all([fail('down'), fail('down'), fail('down')]);
    expect(calls).toBe(6);
    expect(probes.filter((error) => (error as BrokerError).code === 'provider_unavailable')).toHaveLength(1);
    now += 30_000;
    expect(await succeed('down')).toBe('well');
    gate.assertOpen('down');
    expect(await succeed('down')).toBe('well');
  });

  it('is one that does not answer or answers nonsense; a rejection shows that it is up', async () => {
    for (let time = 0; time < 4; time += 1) await fail('up', 'provider_answer_invalid');
    await fail('up', 'needs_reauthorization');
    for (let time = 0; time < 4; time += 1) await fail('up');
    gate.assertOpen('up');
    await fail('up');
    expect(() => gate.assertOpen('up')).toThrow(paused);
  });
});

describe('a busy provider', () => {
  it('gets no more calls at once than allowed, and no more wait than allowed', async () => {
    let [running, most] = [0, 0];
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const call = async () => {
      running += 1;
      most = Math.max(most, running);
      await held;
      running -= 1;
      return 'well';
    };
    const all = Array.from({ length: 6 }, () => gate.run('busy', call).catch((error: unknown) => error));
    release();
    const results = await Promise.all(all);
    expect(most).toBe(2);
    expect(results.filter((result) => result === 'well')).toHaveLength(5);
    expect(results.at(-1)).toEqual(paused);
  });
});
