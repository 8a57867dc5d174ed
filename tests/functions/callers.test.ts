import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { TableClient } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Role } from '../../src/domain/caller.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const create = (body: unknown, call: Call = {}) => broker.call('POST', '/api/oauth/callers', { ...call, body });
const list = (query = '', call: Call = {}) => broker.call('GET', `/api/oauth/callers${query}`, call);
const remove = (id: string, call: Call = {}) => broker.call('DELETE', `/api/oauth/callers/${id}`, call);
const me = (key: string, headers: Record<string, string> = {}) =>
  broker.call('GET', '/api/oauth/me', { key, org: null, headers });
const idOf = (apiKey: string) => apiKey.split('_')[1] ?? '';
const key = (orgIds: string[], roles: Role[]) => broker.createKey(orgIds, roles);

describe('POST callers', () => {
  it('201 with the key, 256 bits of it, which is shown this once', async () => {
    const made = await create({ name: 'sync', org_ids: ['ORG1'], roles: ['reader'] });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{16,32}$/),
      kind: 'api_key',
      name: 'sync',
      org_ids: ['ORG1'],
      roles: ['reader'],
      expires_at: null,
      created_at: expect.any(String),
      created_by: 'bootstrap',
      last_used_at: null,
      rotated_to: null,
      tenant_id: null,
      object_id: null,
      api_key: expect.stringMatching(/^bwl_[0-9a-f]+_[A-Za-z0-9_-]{43}$/),
    });
    expect(idOf(made.json.api_key)).toBe(made.json.id);
    const listed = await list();
    expect(listed.text).toContain(made.json.id);
    expect(listed.text).not.toContain(made.json.api_key.slice(-43));
    expect(listed.text).not.toContain('"api_key":');
  });

  it('keeps the key as SHA-256 only: neither tables nor log hold it (S-05)', async () => {
    const apiKey = await key(['ORG1'], ['reader']);
    expect((await me(apiKey)).status).toBe(200);
    const secret = apiKey.slice(-43);
    const table = TableClient.fromConnectionString(inject('azuriteConnectionString'), `${broker.prefix}OAuthCallers`, {
      allowInsecureConnection: true,
    });
    let dump = '';
    for await (const row of table.listEntities()) dump += inspect(row);
    expect(dump).toContain(createHash('sha256').update(apiKey).digest('hex'));
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(Buffer.from(secret).toString('base64').slice(0, 40));
    expect(`${broker.lines.join('\n')}${JSON.stringify(broker.host.lines)}`).not.toContain(secret);
  });

  it('is for the organisation of the call where none is named', async () => {
    const admin = await key(['ORG3', 'ORG4'], ['admin', 'reader']);
    const made = await create({ name: 'x', roles: ['reader'] }, { key: admin, org: 'ORG4' });
    expect(made.json.org_ids).toEqual(['ORG4']);
  });

  it('makes a platform caller, for platform callers alone', async () => {
    expect((await create({ name: 'x', org_ids: ['*'], roles: ['reader'] })).json.org_ids).toEqual(['*']);
    const admin = await key(['ORG1'], ['admin', 'reader']);
    const refused = await create({ name: 'x', org_ids: ['*'], roles: ['reader'] }, { key: admin });
    expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
  });

  it('403 for an organisation or a role that the maker does not hold', async () => {
    const admin = await key(['ORG1'], ['admin', 'operator']);
    const foreign = await create({ name: 'x', org_ids: ['ORG1', 'ORG2'], roles: ['operator'] }, { key: admin });
    expect(foreign).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    for (const role of ['reader', 'auditor']) {
      const more = await create({ name: 'x', roles: ['operator', role] }, { key: admin });
      expect(more).toMatchObject({ status: 403, json: { error: 'role_required' } });
    }
    expect((await create({ name: 'x', roles: ['admin', 'operator'] }, { key: admin })).status).toBe(201);
  });

  it.each([
    ['no name', { roles: ['reader'] }, 'name'],
    ['no roles', { name: 'x' }, 'roles'],
    ['an empty set of roles', { name: 'x', roles: [] }, 'roles'],
    ['a role that is none', { name: 'x', roles: ['root'] }, 'roles.0'],
    ['no organisation', { name: 'x', roles: ['reader'], org_ids: [] }, 'org_ids'],
    ['an organisation that is none', { name: 'x', roles: ['reader'], org_ids: ["x' or '"] }, 'org_ids.0'],
    ['GLOBAL', { name: 'x', roles: ['reader'], org_ids: ['GLOBAL'] }, 'org_ids'],
    ['* among others', { name: 'x', roles: ['reader'], org_ids: ['*', 'ORG1'] }, 'org_ids'],
    ['an expiry that is no time', { name: 'x', roles: ['reader'], expires_at: 'soon' }, 'expires_at'],
    ['an unknown field', { name: 'x', roles: ['reader'], api_key: 'mine' }, 'api_key'],
  ])('400 for %s', async (_what, body, path) => {
    expect(await create(body)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path }] },
    });
  });
});

describe('an API key', () => {
  it('is taken as Bearer and as x-api-key', async () => {
    const apiKey = await key(['ORG1'], ['reader']);
    expect((await me(apiKey)).status).toBe(200);
    const bearer = await broker.call('GET', '/api/oauth/me', {
      key: null,
      headers: { authorization: `Bearer ${apiKey}` },
    });
    expect(bearer.status).toBe(200);
  });

  it('401 once it has expired, and for every key that is nearly right', async () => {
    const expires_at = new Date(broker.clock.now() + 60_000).toISOString();
    const { api_key } = (await create({ name: 'brief', roles: ['reader'], expires_at })).json;
    expect((await me(api_key)).json.expires_at).toBe(expires_at);
    const other = await key(['ORG1'], ['reader']);
    const swapped = `${api_key.slice(0, -43)}${other.slice(-43)}`;
    const cut = api_key.slice(0, -1);
    for (const wrong of [swapped, cut, `${api_key}A`, api_key.toUpperCase(), '', 'bwl_', `bwl_${idOf(api_key)}_`]) {
      const refused = await me(wrong);
      expect(refused, wrong).toMatchObject({ status: 401, json: { error: 'unauthenticated' } });
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
    }
    broker.clock.advance(60_001);
    expect(await me(api_key)).toMatchObject({ status: 401, json: { error: 'unauthenticated' } });
  });
});

describe('GET callers', () => {
  it('shows the organisation’s callers, and none that holds more organisations than the asking one', async () => {
    const admin = await key(['ORG10'], ['admin', 'reader']);
    const wide = await key(['ORG10', 'ORG11'], ['reader']);
    const foreign = await key(['ORG11'], ['reader']);
    const own = await create({ name: 'own', roles: ['reader'] }, { key: admin, org: null });
    const shown = (await list('', { key: admin, org: null })).json;
    expect(shown.count).toBe(shown.callers.length);
    const ids = shown.callers.map(({ id }: { id: string }) => id);
    expect(ids.sort()).toEqual([idOf(admin), own.json.id].sort());
    const all = await list('?limit=100', { org: 'ORG10' });
    expect(all.text).toContain(idOf(wide));
    expect(all.text).not.toContain(idOf(foreign));
  });

  it('goes page by page without losing or repeating one', async () => {
    const admin = await key(['ORG12'], ['admin', 'reader']);
    for (let count = 0; count < 4; count += 1)
      await create({ name: `n${count}`, roles: ['reader'] }, { key: admin, org: null });
    const seen: string[] = [];
    let continuation: string | null = '';
    for (let pages = 0; continuation !== null && pages < 100; pages += 1) {
      const next = continuation === '' ? '' : `&continuation=${encodeURIComponent(continuation)}`;
      const { json } = await list(`?limit=2${next}`, { key: admin, org: null });
      expect(json.callers.length).toBeLessThanOrEqual(2);
      seen.push(...json.callers.map(({ id }: { id: string }) => id));
      continuation = json.continuation;
    }
    expect(new Set(seen).size).toBe(5);
    expect(seen).toHaveLength(5);
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'continuation=', 'org_id=ORG2'])('400 for ?%s', async (query) => {
    expect(await list(`?${query}`)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('400 for a continuation that is not one', async () => {
    expect((await list('?continuation=garbage')).status).toBe(400);
  });
});

describe('DELETE callers', () => {
  it('204, and the key stops working at once in this process', async () => {
    const apiKey = await key(['ORG1'], ['reader']);
    expect((await me(apiKey)).status).toBe(200);
    expect((await remove(idOf(apiKey))).status).toBe(204);
    expect((await me(apiKey)).status).toBe(401);
    expect(await remove(idOf(apiKey))).toMatchObject({ status: 404, json: { error: 'caller_not_found' } });
  });

  it('404 for a caller of another organisation, and for one that holds more: both stay', async () => {
    const admin = await key(['ORG1'], ['admin']);
    for (const other of [
      await key(['ORG2'], ['reader']),
      await key(['ORG1', 'ORG2'], ['reader']),
      await key(['*'], ['reader']),
    ]) {
      expect(await remove(idOf(other), { key: admin })).toMatchObject({
        status: 404,
        json: { error: 'caller_not_found' },
      });
      expect((await me(other)).status).toBe(200);
    }
  });

  it.each(['x', 'bootstrap', "0123456789abcdef'", 'F'.repeat(32)])('400 for the id %s', async (id) => {
    expect(await remove(id)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });
});

describe('GET me', () => {
  it('says who, which organisations, which roles', async () => {
    const apiKey = await key(['ORG1', 'ORG2'], ['reader', 'auditor']);
    expect(await me(apiKey)).toMatchObject({
      status: 200,
      json: { name: 'test', org_ids: ['ORG1', 'ORG2'], roles: ['reader', 'auditor'], expires_at: null },
    });
    expect((await me(broker.adminKey)).json).toMatchObject({
      org_ids: ['*'],
      roles: expect.arrayContaining(['admin', 'operator', 'reader', 'auditor']),
    });
  });

  it('answers the same whatever organisation is named, and whatever identity a header claims (S-01)', async () => {
    const apiKey = await key(['ORG1', 'ORG2'], ['reader']);
    const plain = (await me(apiKey)).json;
    const claims = { 'x-organization-id': 'ORG9', 'x-user-id': 'root', 'x-ms-client-principal-id': 'root' };
    expect((await me(apiKey, claims)).json).toEqual(plain);
  });
});

describe('X-Organization-Id', () => {
  const connections = (call: Call) => broker.call('GET', '/api/oauth/connections', call);

  it('400 organization_required for a caller with several, and no need of it for one with one', async () => {
    const several = await key(['ORG1', 'ORG2'], ['auditor']);
    expect(await connections({ key: several, org: null })).toMatchObject({
      status: 400,
      json: { error: 'organization_required' },
    });
    expect((await connections({ key: several, org: 'ORG2' })).status).toBe(200);
    expect((await connections({ key: await key(['ORG1'], ['auditor']), org: null })).status).toBe(200);
  });

  it('403 organization_forbidden for any other, whether it exists, is GLOBAL, is doubled or is none', async () => {
    const own = await key(['ORG1'], ['auditor']);
    for (const org of ['ORG2', 'NEVER-SEEN', 'GLOBAL', '*', 'ORG1,ORG2', 'org1', "ORG1' or '1"]) {
      const refused = await connections({ key: own, org });
      expect(refused, org).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    }
  });

  it('400 for a platform caller’s organisation that is no id', async () => {
    expect(await connections({ org: "x' or PartitionKey ne '" })).toMatchObject({
      status: 400,
      json: { error: 'validation_failed' },
    });
  });
});
