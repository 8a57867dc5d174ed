import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EntraAuthority, startEntraAuthority } from '../support/entra-authority.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { register, withToken } from './support/entra-calls.ts';

let entra: EntraAuthority;
let broker: TestBroker;
/** Another process: its own caches, the same storage. */
let other: TestBroker;
beforeAll(async () => {
  entra = await startEntraAuthority({ now: () => broker.clock.now() });
  broker = await startTestBroker({ settings: entra.settings });
  other = await startTestBroker({ beside: broker, settings: entra.settings });
});
afterAll(async () => {
  await other.stop();
  await broker.stop();
  await entra.stop();
});

const idOf = (apiKey: string) => apiKey.split('_')[1] ?? '';
const seconds = (count: number) => broker.clock.advance(count * 1000);
const statusOf = async (at: TestBroker, key: string) =>
  (await at.call('GET', '/api/oauth/me', { key, org: null })).status;
const bothStatuses = (ask: (at: TestBroker) => Promise<number>) => Promise.all([ask(broker), ask(other)]);
const remove = async (id: string) => {
  expect((await broker.call('DELETE', `/api/oauth/callers/${id}`)).status).toBe(204);
};

/** Uses a credential every 10 s, as a busy workflow does, and gives the seconds after which the other process refuses it. */
async function secondsUntilRefused(ask: (at: TestBroker) => Promise<number>, refusal: number): Promise<number> {
  for (let waited = 0; waited <= 120; waited += 10) {
    const status = await ask(other);
    if (status !== 200) {
      expect(status).toBe(refusal);
      return waited;
    }
    seconds(10);
  }
  throw new Error('still taken after two minutes');
}

describe('an API key (S-11)', () => {
  const used = async (): Promise<string> => {
    const key = await broker.createKey(['ORG1'], ['reader']);
    expect(await bothStatuses((at) => statusOf(at, key))).toEqual([200, 200]);
    return key;
  };

  it('that is deleted stops at once here, and within 60 s in every process', async () => {
    const key = await used();
    await remove(idOf(key));
    expect(await statusOf(broker, key)).toBe(401);
    expect(await secondsUntilRefused((at) => statusOf(at, key), 401)).toBeLessThanOrEqual(60);
  });

  it('that is rotated without an overlap stops at once here, and within 60 s in every process', async () => {
    const key = await used();
    await broker.call('POST', `/api/oauth/callers/${idOf(key)}/rotate`, { body: { overlap_seconds: 0 } });
    expect(await statusOf(broker, key)).toBe(401);
    expect(await secondsUntilRefused((at) => statusOf(at, key), 401)).toBeLessThanOrEqual(60);
  });

  it('that expires stops at that moment in every process', async () => {
    const expires_at = new Date(broker.clock.now() + 30_000).toISOString();
    const body = { name: 'brief', org_ids: ['ORG1'], roles: ['reader'], expires_at };
    const key = (await broker.call('POST', '/api/oauth/callers', { body })).json.api_key;
    expect(await bothStatuses((at) => statusOf(at, key))).toEqual([200, 200]);
    seconds(30);
    expect(await bothStatuses((at) => statusOf(at, key))).toEqual([401, 401]);
  });

  it('that was refused a moment ago is taken as soon as it exists: refusals are not remembered', async () => {
    const key = await broker.createKey(['ORG1'], ['reader']);
    const wrong = `${key.slice(0, -43)}${'A'.repeat(43)}`;
    expect(await bothStatuses((at) => statusOf(at, wrong))).toEqual([401, 401]);
    expect(await bothStatuses((at) => statusOf(at, key))).toEqual([200, 200]);
  });
});

describe('a principal of Microsoft Entra (S-11)', () => {
  const newPrincipal = async (changes: Parameters<typeof register>[2] = {}) => {
    const object_id = crypto.randomUUID();
    const made = await register(broker, entra, { object_id, ...changes });
    expect(made.status).toBe(201);
    const ask = async (at: TestBroker) => (await withToken(at, entra.token({ claims: { oid: object_id } }))).status;
    return { id: made.json.id as string, object_id, ask };
  };

  it('that is removed stops at once here, and within 60 s in every process', async () => {
    const { id, ask } = await newPrincipal();
    expect(await bothStatuses(ask)).toEqual([200, 200]);
    await remove(id);
    expect(await ask(broker)).toBe(403);
    expect(await secondsUntilRefused(ask, 403)).toBeLessThanOrEqual(60);
  });

  it('whose registration expires stops at that moment in every process', async () => {
    const { ask } = await newPrincipal({ expires_at: new Date(broker.clock.now() + 30_000).toISOString() });
    expect(await bothStatuses(ask)).toEqual([200, 200]);
    seconds(30);
    expect(await bothStatuses(ask)).toEqual([401, 401]);
  });

  it('that was refused a moment ago is taken as soon as it is registered, in every process', async () => {
    const { id, object_id, ask } = await newPrincipal();
    await remove(id);
    expect(await bothStatuses(ask)).toEqual([403, 403]);
    expect((await register(broker, entra, { object_id })).status).toBe(201);
    expect(await bothStatuses(ask)).toEqual([200, 200]);
  });

  it('that loses a role has lost it within 60 s in every process', async () => {
    const { id, object_id } = await newPrincipal({ roles: ['reader', 'operator'] });
    const rolesAt = async (at: TestBroker) =>
      (await withToken(at, entra.token({ claims: { oid: object_id } }))).json.roles as string[];
    expect(await rolesAt(other)).toEqual(['reader', 'operator']);
    await remove(id);
    expect((await register(broker, entra, { object_id, roles: ['operator'] })).status).toBe(201);
    expect(await rolesAt(broker)).toEqual(['operator']);
    seconds(60);
    expect(await rolesAt(other)).toEqual(['operator']);
  });
});
