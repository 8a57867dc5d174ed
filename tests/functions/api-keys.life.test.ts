import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Composition, compose } from '../../src/composition.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
/** Another process on the same storage, with caches of its own. */
let other: Composition;
beforeAll(async () => {
  broker = await startTestBroker();
  other = compose(broker.settings, () => {}, { clock: broker.clock });
});
afterAll(async () => {
  await other.close();
  await broker.stop();
});

const seconds = (count: number) => broker.clock.advance(count * 1000);
const inSeconds = (count: number) => new Date(broker.clock.now() + count * 1000).toISOString();
const statusOf = async (key: string) => (await broker.call('GET', '/api/oauth/me', { key, org: null })).status;
const create = (body: Readonly<Record<string, unknown>>, call: Call = {}) =>
  broker.call('POST', '/api/oauth/callers', { ...call, body: { org_ids: ['ORG1'], roles: ['reader'], ...body } });

async function keyUntil(expiresAt: string, roles: readonly string[] = ['reader']): Promise<string> {
  const made = await create({ name: 'short', roles, expires_at: expiresAt });
  expect(made.status).toBe(201);
  return made.json.api_key;
}

async function removeElsewhere(key: string): Promise<void> {
  const platform = { kind: 'api_key', id: 'p', name: 'p', orgIds: ['*'], roles: ['admin'], expiresAt: null } as const;
  await other.broker.callers.remove(platform, 'ORG1' as never, key.split('_')[1] ?? '');
}

describe('an API key that another process deleted', () => {
  it.each([
    ['just before', 0],
    ['for a while', 5],
  ])('stops working within 60 s though it is used every 20 s, and was used %s', async (_, timesBefore) => {
    const key = await broker.createKey(['ORG1'], ['reader']);
    for (let time = 0; time < timesBefore; time += 1) {
      expect(await statusOf(key)).toBe(200);
      seconds(20);
    }
    expect(await statusOf(key)).toBe(200);
    await removeElsewhere(key);
    for (const _ of [20, 40]) {
      seconds(20);
      await statusOf(key);
    }
    for (const _ of [60, 80, 100]) {
      seconds(20);
      expect(await statusOf(key)).toBe(401);
    }
  });
});

describe('an API key that expires', () => {
  it('stops working at that time though it is used steadily', async () => {
    const key = await keyUntil(inSeconds(50));
    for (const _ of [0, 20, 40]) {
      expect(await statusOf(key)).toBe(200);
      seconds(20);
    }
    expect(await statusOf(key)).toBe(401);
  });

  it('makes no key that outlives it: one without an end ends with it', async () => {
    const end = inSeconds(3600);
    const key = await keyUntil(end, ['admin', 'reader']);
    for (const more of [{}, { expires_at: null }]) {
      const made = await create({ name: 'child', ...more }, { key });
      expect(made).toMatchObject({ status: 201, json: { expires_at: end } });
      const listed = await broker.call('GET', '/api/oauth/callers?limit=100');
      expect(listed.text).toContain(made.json.id);
      expect(await statusOf(made.json.api_key)).toBe(200);
    }
  });

  it('makes no key that ends later: 400 at expires_at, and none is made', async () => {
    const key = await keyUntil(inSeconds(3600), ['admin', 'reader']);
    const refused = await create({ name: 'outliving', expires_at: inSeconds(3660) }, { key });
    expect(refused).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: 'expires_at' }] },
    });
    expect((await broker.call('GET', '/api/oauth/callers?limit=100')).text).not.toContain('outliving');
  });

  it('makes keys that end earlier, or at the same time', async () => {
    const end = inSeconds(3600);
    const key = await keyUntil(end, ['admin', 'reader']);
    for (const expires_at of [inSeconds(600), end]) {
      expect(await create({ name: 'child', expires_at }, { key })).toMatchObject({ status: 201, json: { expires_at } });
    }
  });

  it('takes its children with it, and theirs', async () => {
    const key = await keyUntil(inSeconds(300), ['admin', 'reader']);
    const child = (await create({ name: 'child', roles: ['admin', 'reader'] }, { key })).json.api_key;
    const grandchild = (await create({ name: 'grandchild' }, { key: child })).json.api_key;
    expect(await statusOf(grandchild)).toBe(200);
    seconds(301);
    expect([await statusOf(child), await statusOf(grandchild)]).toEqual([401, 401]);
  });
});

describe('an API key without an end', () => {
  it('makes keys without an end, and with any', async () => {
    expect((await create({ name: 'endless' })).json.expires_at).toBeNull();
    expect((await create({ name: 'far', expires_at: '2099-01-01T00:00:00.000Z' })).status).toBe(201);
  });
});
