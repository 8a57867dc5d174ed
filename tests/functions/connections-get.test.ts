import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accessToken, connect, create, detail, detailFields, rowsOf, serviceBody } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterEach(() => broker.server.tokens.reset());
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
const get = (name: string, options: { org?: string | null; key?: string | null } = {}) =>
  broker.call('GET', `${path}/${name}`, options);
const put = (name: string, body: unknown) => broker.call('PUT', `${path}/${name}`, { body });

describe('GET /oauth/connections/{connection_name}: 200', () => {
  it('shows every field of the detail, null where there is nothing, and an ETag', async () => {
    await create(broker, 'plain');
    const { status, json, headers } = await get('plain');
    expect(status).toBe(200);
    expect(Object.keys(json).toSorted()).toEqual(detailFields.toSorted());
    expect(json).toMatchObject({
      status: 'not_connected',
      redirect_uri: `${broker.url}/api/oauth/callback/plain`,
      granted_scopes: null,
      failure: null,
      last_test_at: null,
      pending_authorization: false,
    });
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
  });

  it('shows what a sign-in gave, and neither tokens nor the secret', async () => {
    await connect(broker, 'signed-in');
    const token = await accessToken(broker, 'signed-in');
    const { json, text } = await get('signed-in');
    expect(json).toMatchObject({
      status: 'completed',
      status_reason: null,
      has_client_secret: true,
      has_refresh_token: true,
      missing_scopes: [],
      pending_authorization: false,
    });
    expect(json.granted_scopes.split(' ').toSorted()).toEqual(['openid', 'read']);
    expect(Date.parse(json.expires_at)).toBeGreaterThan(broker.clock.now());
    expect(text).not.toContain(token);
    expect(text).not.toContain(broker.server.clients.basic.clientSecret);
  });

  it('names the scopes that were asked for and not granted', async () => {
    await create(broker, 'narrow', { changes: { scopes: 'openid,read,write' } });
    await broker.call('POST', `${path}/narrow/tokens`, {
      body: { access_token: 'x', expires_at: '2999-01-01T00:00:00Z', scopes: 'openid read' },
    });
    expect(await detail(broker, 'narrow')).toMatchObject({ granted_scopes: 'openid read', missing_scopes: ['write'] });
  });

  it('shows an authorization under way as waiting_callback, until its ten minutes are over', async () => {
    await create(broker, 'under-way');
    await broker.call('POST', `${path}/under-way/authorize`, { body: {} });
    expect(await detail(broker, 'under-way')).toMatchObject({
      status: 'waiting_callback',
      pending_authorization: true,
    });
    broker.clock.advance(10 * 60_000 + 1000);
    expect(await detail(broker, 'under-way')).toMatchObject({ status: 'not_connected', pending_authorization: false });
  });

  it('keeps completed while somebody authorizes again, and says so', async () => {
    await connect(broker, 'again');
    await broker.call('POST', `${path}/again/authorize`, { body: {} });
    expect(await detail(broker, 'again')).toMatchObject({ status: 'completed', pending_authorization: true });
  });

  it('shows a failing refresh while the token is still good', async () => {
    await connect(broker, 'shaky');
    broker.server.tokens.respondNext({ status: 503, body: 'down' });
    await broker.call('POST', `${path}/shaky/refresh`, { body: {} });
    const { status, failure, next_refresh_at } = await detail(broker, 'shaky');
    expect(status).toBe('completed');
    expect(failure).toEqual({
      code: 'provider_unavailable',
      message: expect.any(String),
      since: expect.stringMatching(/Z$/),
      attempts: 1,
    });
    expect(Date.parse(next_refresh_at)).toBeGreaterThan(broker.clock.now());
  });

  it('has an ETag that changes with the configuration and with nothing else', async () => {
    await connect(broker, 'tagged');
    const etag = async () => (await get('tagged')).headers.get('etag');
    const first = await etag();
    await accessToken(broker, 'tagged');
    await broker.call('POST', `${path}/tagged/refresh`, { body: {} });
    await broker.call('POST', `${path}/tagged/test`, { body: {} });
    expect(await etag()).toBe(first);
    const changed = await put('tagged', { description: 'new' });
    expect(changed.headers.get('etag')).not.toBe(first);
    expect(await etag()).toBe(changed.headers.get('etag'));
  });

  it('calls nobody and writes nothing', async () => {
    await create(broker, 'quiet');
    const before = await rowsOf(broker, 'OAuthConnections');
    const vaultRequests = broker.vault.requests.length;
    await get('quiet');
    expect(await rowsOf(broker, 'OAuthConnections')).toEqual(before);
    expect(broker.vault.requests).toHaveLength(vaultRequests);
    expect(broker.server.tokens.count()).toBe(0);
  });
});

describe('GET /oauth/connections/{connection_name}: GLOBAL', () => {
  const global = (name: string, changes: Record<string, unknown> = {}) =>
    broker.call('POST', path, { org: 'GLOBAL', body: serviceBody(broker, name, changes) });

  it('falls back to the one that is shared, and org_id says so', async () => {
    await global('fallback');
    expect(await get('fallback')).toMatchObject({ status: 200, json: { org_id: 'GLOBAL' } });
  });

  it('prefers the organisation’s own', async () => {
    await global('both', { description: 'global' });
    await broker.call('POST', path, { body: serviceBody(broker, 'both', { description: 'own' }) });
    expect((await get('both')).json).toMatchObject({ org_id: 'ORG1', description: 'own' });
    expect((await get('both', { org: 'ORG2' })).json).toMatchObject({ org_id: 'GLOBAL', description: 'global' });
  });

  it('tells only its owner who else shares it', async () => {
    await global('some', { shared_with: ['ORG1', 'ORG2'] });
    expect((await get('some')).json.shared_with).toEqual(['ORG1']);
    expect((await get('some', { org: 'GLOBAL' })).json.shared_with).toEqual(['ORG1', 'ORG2']);
  });

  it('hides one that is shared with others only', async () => {
    await global('not-ours', { shared_with: ['ORG2'] });
    expect((await get('not-ours')).status).toBe(404);
    expect((await get('not-ours', { org: 'ORG2' })).status).toBe(200);
    expect((await get('not-ours', { org: 'GLOBAL' })).status).toBe(200);
  });
});

describe('GET /oauth/connections/{connection_name}: 404 connection_not_found', () => {
  it('is the same answer for another organisation’s connection, which hides that it exists', async () => {
    const key = await broker.createKey(['ORG1'], ['admin']);
    const ask = () =>
      broker.call('GET', `${path}/theirs`, { key, headers: { 'x-correlation-id': 'the-same-for-both' } });
    const missing = await ask();
    await create(broker, 'theirs', { org: 'ORG2' });
    const foreign = await ask();
    expect(foreign).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    expect(foreign.text).toBe(missing.text);
    const headersOf = ({ headers }: typeof foreign) => [...headers].filter(([name]) => name !== 'date');
    expect(headersOf(foreign)).toEqual(headersOf(missing));
  });

  it.each(['__proto__', 'constructor', 'toString'])('for the name %s, which every object has', async (name) => {
    expect((await get(name)).status).toBe(404);
  });

  it('tells names that differ by case apart', async () => {
    await create(broker, 'Case');
    expect((await get('case')).status).toBe(404);
  });
});

describe('GET /oauth/connections/{connection_name}: 400 validation_failed', () => {
  it.each(['a.b', 'a%20b', 'a%27%20or%20true', 'x'.repeat(101), '%C3%BC', 'a%0a'])('for the name %s', async (name) => {
    expect(await get(name)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: 'connection_name' }] },
    });
  });
});

describe('GET /oauth/connections/{connection_name}: who may', () => {
  it.each(['operator', 'auditor', 'admin'] as const)('200 for the role %s', async (role) => {
    await create(broker, `for-${role}`);
    expect((await get(`for-${role}`, { key: await broker.createKey(['ORG1'], [role]) })).status).toBe(200);
  });

  it('403 role_required for the role reader alone', async () => {
    const refused = await get('plain', { key: await broker.createKey(['ORG1'], ['reader']) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
  });

  it('401 without a key', async () => {
    expect(await get('plain', { key: null })).toMatchObject({ status: 401, json: { error: 'unauthenticated' } });
  });
});
