import { beforeEach, describe, expect, it } from 'vitest';
import { createProviderGate } from '../../../src/adapters/provider-gate/provider-gate.ts';
import { BrokerError, type ErrorCode } from '../../../src/domain/errors.ts';
import { type OrgId, toOrgId } from '../../../src/domain/ids.ts';
import type { ProviderGate, ProviderKey } from '../../../src/ports/provider-gate.ts';

let now: number;
let calls: number;
let gate: ProviderGate;
beforeEach(() => {
  [now, calls] = [1_000_000, 0];
  gate = createProviderGate({ clock: { now: () => now }, concurrency: 2, waiting: 3 });
});

const paused = expect.objectContaining({ code: 'provider_paused', retryAfterSeconds: expect.any(Number) });

const acme = toOrgId('acme');
const at = (server: string, org = acme): ProviderKey => ({ org, server });

async function fail(
  server: string,
  { code = 'provider_unavailable', org = acme }: { readonly code?: ErrorCode; readonly org?: OrgId } = {},
): Promise<unknown> {
  const call = async () => {
    calls += 1;
    throw new BrokerError(code, 'no');
  };
  return gate.run(at(server, org), call).catch((error: unknown) => error);
}

async function succeed(server: string, org = acme): Promise<unknown> {
  return gate
    .run(at(server, org), async () => {
      calls += 1;
      return 'well';
    })
    .catch((error: unknown) => error);
}

describe('a provider that is down (S-70)', () => {
  it('is not called any more after five failures in a row, and the others are', async () => {
    for (let time = 0; time < 5; time += 1) {
      gate.assertOpen(at('down'));
      expect(await fail('down')).toMatchObject({ code: 'provider_unavailable' });
    }
    expect(() => gate.assertOpen(at('down'))).toThrow(paused);
    expect(await succeed('down')).toEqual(paused);
    expect(calls).toBe(5);
    gate.assertOpen(at('well'));
    expect(await succeed('well')).toBe('well');
  });

  it('gets one probe in 30 s, whatever else waits, and is called again once a probe succeeds', async () => {
    for (let time = 0; time < 5; time += 1) await fail('down');
    now += 29_999;
    expect(() => gate.assertOpen(at('down'))).toThrow(paused);
    now += 1;
    const probes = await Promise.all([fail('down'), fail('down'), fail('down')]);
    expect(calls).toBe(6);
    expect(probes.filter((error) => (error as BrokerError).code === 'provider_unavailable')).toHaveLength(1);
    now += 30_000;
    expect(await succeed('down')).toBe('well');
    gate.assertOpen(at('down'));
    expect(await succeed('down')).toBe('well');
  });

  it('is one that does not answer or answers nonsense; a rejection shows that it is up', async () => {
    for (let time = 0; time < 4; time += 1) await fail('up', { code: 'provider_answer_invalid' });
    await fail('up', { code: 'needs_reauthorization' });
    for (let time = 0; time < 4; time += 1) await fail('up');
    gate.assertOpen(at('up'));
    await fail('up');
    expect(() => gate.assertOpen(at('up'))).toThrow(paused);
  });
});

describe('a provider that several organisations call', () => {
  const orgs = ['one', 'two', 'three', 'four'].map((org) => toOrgId(org));
  const failOf = (count: number, times: number) =>
    Array.from({ length: times }, (_, time) => fail('shared', { org: orgs[time % count] as OrgId }));

  it('is called by none of them after five failures in a row of three, and other providers are', async () => {
    await Promise.all(failOf(3, 5));
    for (const org of orgs) expect(() => gate.assertOpen(at('shared', org))).toThrow(paused);
    gate.assertOpen(at('other', orgs[0]));
    now += 30_000;
    const probes = await Promise.all(orgs.map((org) => fail('shared', { org })));
    // One of those that have failed tries, and one of those that have not.
    expect(probes.filter((error) => (error as BrokerError).code === 'provider_unavailable')).toHaveLength(2);
    now += 30_000;
    expect(await succeed('shared', orgs[3])).toBe('well');
    for (const org of orgs) gate.assertOpen(at('shared', org));
  });

  it('is called by the others however often one or two fail: no tenant can trip another’s', async () => {
    await Promise.all(failOf(2, 40));
    expect(() => gate.assertOpen(at('shared', orgs[0]))).toThrow(paused);
    gate.assertOpen(at('shared', orgs[2]));
    const calls = [2, 2, 3].map((index) => succeed('shared', orgs[index]));
    expect(await Promise.all(calls)).toEqual(['well', 'well', 'well']);
  });

  it('is called as long as one of them gets through', async () => {
    for (const org of orgs) await fail('shared', { org });
    await succeed('shared', orgs[0]);
    for (const org of orgs) await fail('shared', { org });
    for (const org of orgs) gate.assertOpen(at('shared', org));
    await fail('shared', { org: toOrgId('five') });
    for (const org of orgs) expect(() => gate.assertOpen(at('shared', org))).toThrow(paused);
  });

  it('is there for one that is well and calls seldom, while three never stop failing', async () => {
    const bad = orgs.slice(0, 3);
    let served = 0;
    for (let second = 0; second < 3600; second += 1) {
      now += 1000;
      if (second % 2 === 0) await fail('shared', { org: bad[(second / 2) % 3] as OrgId });
      if (second % 61 === 60 && (await succeed('shared', orgs[3])) === 'well') served += 1;
    }
    expect(served).toBe(59);
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
    const all = Array.from({ length: 6 }, () => gate.run(at('busy'), call).catch((error: unknown) => error));
    release();
    const results = await Promise.all(all);
    expect(most).toBe(2);
    expect(results.filter((result) => result === 'well')).toHaveLength(5);
    expect(results.at(-1)).toEqual(paused);
  });
});
