import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EntraAuthority, newSigningKey, startEntraAuthority } from '../support/entra-authority.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { register, withToken } from './support/entra-calls.ts';

let entra: EntraAuthority;
let broker: TestBroker;
beforeEach(async () => {
  entra = await startEntraAuthority({ now: () => broker.clock.now() });
  broker = await startTestBroker({ settings: entra.settings });
  expect((await register(broker, entra)).status).toBe(201);
});
afterEach(async () => {
  await broker.stop();
  await entra.stop();
});

const seconds = (count: number) => broker.clock.advance(count * 1000);
const hours = (count: number) => seconds(count * 3600);
const ask = async (token = entra.token()) => (await withToken(broker, token)).status;
const withUnknownKey = () => entra.token({ key: newKid() });
const someKey = newSigningKey();
const newKid = () => ({ ...someKey, kid: crypto.randomUUID() });

describe('the keys of a tenant (S-04)', () => {
  it('are fetched once for many tokens', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => ask()))).toEqual(Array(20).fill(200));
    expect(entra.requests).toHaveLength(1);
  });

  it('are fetched again for a new key, which works at once, and within 60 s of an earlier search', async () => {
    expect(await ask()).toBe(200);
    seconds(30);
    entra.rotate();
    expect(await ask()).toBe(200);
    expect(entra.requests).toHaveLength(2);
    entra.rotate();
    expect(await ask()).toBe(401);
    seconds(30);
    expect(await ask()).toBe(200);
  });

  it('lose a key that was withdrawn within an hour', async () => {
    const old = entra.key;
    expect(await ask()).toBe(200);
    entra.rotate();
    seconds(3599);
    expect(await ask(entra.token({ key: old }))).toBe(200);
    seconds(2);
    expect(await ask(entra.token({ key: old }))).toBe(401);
    expect(await ask()).toBe(200);
  });

  it('are asked for twice a minute at most, though 1,000 tokens name 1,000 keys', async () => {
    expect(await ask()).toBe(200);
    for (let minute = 0; minute < 2; minute += 1) {
      const before = entra.requests.length;
      for (let count = 0; count < 500; count += 25) {
        const statuses = await Promise.all(Array.from({ length: 25 }, () => ask(withUnknownKey())));
        expect(new Set(statuses)).toEqual(new Set([401]));
        seconds(3);
      }
      expect(entra.requests.length - before).toBeLessThanOrEqual(2);
      expect(await ask()).toBe(200);
    }
  });
});

describe.each(['down', 'garbage'] as const)('while the endpoint of the keys is %s (S-04)', (answer) => {
  it('known keys keep serving, for a day; the endpoint is asked every five minutes', async () => {
    expect(await ask()).toBe(200);
    entra.answerWith(answer);
    hours(1);
    for (let count = 0; count < 20; count += 1) expect(await ask()).toBe(200);
    expect(entra.requests).toHaveLength(2);
    hours(22.9);
    expect(await ask()).toBe(200);
    hours(0.2);
    expect(await ask()).toBe(503);
    entra.answerWith('keys');
    seconds(30);
    expect(await ask()).toBe(200);
  });

  it('an unknown key is never accepted: 503 identity_keys_unavailable with Retry-After, and 401 afterwards', async () => {
    expect(await ask()).toBe(200);
    entra.answerWith(answer);
    seconds(30);
    for (let count = 0; count < 20; count += 1) {
      const refused = await withToken(broker, withUnknownKey());
      expect(refused).toMatchObject({ status: 503, json: { error: 'identity_keys_unavailable' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(30);
    }
    expect(entra.requests).toHaveLength(2);
    expect(await ask()).toBe(200);
    entra.answerWith('keys');
    seconds(30);
    expect(await ask(withUnknownKey())).toBe(401);
  });

  it('a process that has just started lets nobody in, says why in its log, and recovers', async () => {
    entra.answerWith(answer);
    expect(await ask()).toBe(503);
    expect(await ask()).toBe(503);
    expect(entra.requests).toHaveLength(1);
    expect(broker.lines.join()).toContain('identity_keys_not_loaded');
    entra.answerWith('keys');
    seconds(30);
    expect(await ask()).toBe(200);
  });
});

it('a clock that was hours ahead when the keys were fetched, and is put right, makes nobody wait for hours (S-04)', async () => {
  hours(5);
  expect(await ask()).toBe(200);
  hours(-5);
  entra.rotate();
  expect(await ask()).toBe(200);
});

it('API keys do not depend on the endpoint (S-04)', async () => {
  entra.answerWith('down');
  expect((await broker.call('GET', '/api/oauth/me')).status).toBe(200);
});
