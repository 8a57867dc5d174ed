import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accessToken, connect, create, detail, rowOf, serviceBody, signIn } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterEach(() => broker.server.tokens.reset());
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
interface Options {
  readonly org?: string | null;
  readonly key?: string | null;
}
const refresh = (name: string, body: unknown = {}, options: Options = {}) =>
  broker.call('POST', `${path}/${name}/refresh`, { body, ...options });
const dayMs = 24 * 3600_000;

describe('POST /oauth/connections/{connection_name}/refresh: 200', () => {
  it('refreshes a token that is still good, and the next workflow gets the new one', async () => {
    await connect(broker, 'fresh');
    const before = await accessToken(broker, 'fresh');
    const { status, json, text } = await refresh('fresh');
    expect(status).toBe(200);
    expect(json).toEqual({
      status: 'completed',
      status_reason: null,
      status_message: null,
      expires_at: (await detail(broker, 'fresh')).expires_at,
      refreshed: true,
    });
    const after = await accessToken(broker, 'fresh');
    expect(after).not.toBe(before);
    expect(text).not.toContain(after);
    expect((await detail(broker, 'fresh')).last_refresh_at).toMatch(/Z$/);
  });

  it('goes on from the refresh token of the last time, again and again', async () => {
    await connect(broker, 'rotating');
    for (let round = 0; round < 3; round += 1) expect((await refresh('rotating')).json.refreshed).toBe(true);
    expect([...broker.server.tokens.refreshSubmissions().values()]).toEqual([1, 1, 1]);
    expect(await broker.server.isActive(await accessToken(broker, 'rotating'))).toBe(true);
  });

  it('gets client credentials anew', async () => {
    await broker.call('POST', path, { body: serviceBody(broker, 'service') });
    expect(await refresh('service')).toMatchObject({ status: 200, json: { status: 'completed', refreshed: true } });
    expect(await refresh('service')).toMatchObject({ status: 200, json: { refreshed: true } });
    expect(broker.server.tokens.count('client_credentials')).toBe(2);
  });

  it('makes one call for many who ask at once, and all get an answer', async () => {
    await connect(broker, 'crowd');
    broker.server.tokens.reset();
    const held = broker.server.tokens.holdNext();
    const all = Array.from({ length: 8 }, () => refresh('crowd'));
    await held.waiting();
    held.release();
    expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(Math.max(...broker.server.tokens.refreshSubmissions().values())).toBe(1);
  });

  it('refreshes a user’s grant alone', async () => {
    await connect(broker, 'users');
    await signIn(broker, 'users', { userId: 'u1', login: 'bob' });
    const own = await accessToken(broker, 'users');
    const users = await accessToken(broker, 'users', { userId: 'u1' });
    expect((await refresh('users', { user_id: 'u1' })).json.refreshed).toBe(true);
    expect(await accessToken(broker, 'users', { userId: 'u1' })).not.toBe(users);
    expect(await accessToken(broker, 'users')).toBe(own);
  });

  it('mends a connection that failed for its client secret', async () => {
    const wrong = serviceBody(broker, 'mended', { client_secret: 'not-the-secret' });
    await broker.call('POST', `${path}?connect=true`, { body: wrong });
    await broker.call('PUT', `${path}/mended`, {
      body: { client_secret: broker.server.clients.service.clientSecret },
    });
    expect((await refresh('mended')).json).toMatchObject({ status: 'completed', status_reason: null });
    expect((await detail(broker, 'mended')).failure).toBeNull();
  });
});

describe('POST /oauth/connections/{connection_name}/refresh: 503 connection_not_ready', () => {
  it('before anybody has connected, with the call that mends it', async () => {
    await create(broker, 'unconnected');
    expect(await refresh('unconnected')).toMatchObject({
      status: 503,
      json: {
        error: 'connection_not_ready',
        status: 'not_connected',
        status_reason: null,
        authorize: { method: 'POST', href: `/api/oauth/connections/unconnected/authorize` },
      },
    });
    expect(broker.server.tokens.count()).toBe(0);
  });

  it('for a user who has not connected, whatever the organisation has', async () => {
    await connect(broker, 'not-this-user');
    broker.server.tokens.reset();
    const refused = await refresh('not-this-user', { user_id: 'stranger' });
    expect(refused).toMatchObject({ status: 503, json: { error: 'connection_not_ready', status: 'not_connected' } });
    expect(broker.server.tokens.count()).toBe(0);
  });

  it('where the provider gave no refresh token', async () => {
    await create(broker, 'no-refresh-token');
    await broker.call('POST', `${path}/no-refresh-token/tokens`, {
      body: { access_token: 'x', expires_at: '2999-01-01T00:00:00Z' },
    });
    const refused = await refresh('no-refresh-token');
    expect(refused).toMatchObject({ status: 503, json: { error: 'connection_not_ready', status: 'completed' } });
    expect(await accessToken(broker, 'no-refresh-token')).toBe('x');
  });
});

describe('POST /oauth/connections/{connection_name}/refresh: 503 when the provider gives no token', () => {
  it('needs_reauthorization: the grant is dead, and the provider is not asked again', async () => {
    await connect(broker, 'dead');
    broker.server.tokens.reset();
    broker.server.tokens.respondNext({
      status: 400,
      body: { error: 'invalid_grant', error_description: 'marker-text' },
    });
    const refused = await refresh('dead');
    expect(refused).toMatchObject({ status: 503, json: { error: 'needs_reauthorization' } });
    expect(refused.text).not.toContain('marker-text');
    expect(await detail(broker, 'dead')).toMatchObject({
      status: 'failed',
      status_reason: 'needs_reauthorization',
      has_refresh_token: false,
      expires_at: null,
    });
    expect(await refresh('dead')).toMatchObject({
      status: 503,
      json: { error: 'connection_not_ready', status: 'failed', status_reason: 'needs_reauthorization' },
    });
    expect(broker.server.tokens.count()).toBe(1);
    await signIn(broker, 'dead');
    expect((await refresh('dead')).json.refreshed).toBe(true);
  });

  it('provider_rejected_client: the grant lives, its token is served on', async () => {
    await connect(broker, 'rejected');
    const token = await accessToken(broker, 'rejected');
    broker.server.tokens.respondNext({ status: 401, body: { error: 'invalid_client' } });
    expect(await refresh('rejected')).toMatchObject({ status: 503, json: { error: 'provider_rejected_client' } });
    expect(await detail(broker, 'rejected')).toMatchObject({
      status: 'completed',
      has_refresh_token: true,
      failure: { code: 'provider_rejected_client', attempts: 1 },
    });
    expect(await accessToken(broker, 'rejected')).toBe(token);
    expect((await refresh('rejected')).json).toMatchObject({ status: 'completed', refreshed: true });
    expect((await detail(broker, 'rejected')).failure).toBeNull();
  });

  it('provider_unavailable: with the provider’s Retry-After, and the token is served on', async () => {
    await connect(broker, 'down');
    const token = await accessToken(broker, 'down');
    broker.server.tokens.respondNext({ status: 503, body: '<html>', headers: { 'retry-after': '17' } });
    const refused = await refresh('down');
    expect(refused).toMatchObject({ status: 503, json: { error: 'provider_unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('17');
    expect(await accessToken(broker, 'down')).toBe(token);
    expect((await refresh('down')).json.refreshed).toBe(true);
  });

  it.each<[string, string, () => void]>([
    ['hangs up before it has read', 'provider_unavailable', () => broker.server.tokens.dropNext()],
    ['is in a hurry', 'provider_unavailable', () => broker.server.tokens.respondNext({ status: 429, body: {} })],
    ['answers a page', 'provider_answer_invalid', () => broker.server.tokens.respondNext({ status: 200, body: '<p>' })],
    ['answers no token', 'provider_answer_invalid', () => broker.server.tokens.respondNext({ status: 200, body: {} })],
    [
      'sends us elsewhere',
      'provider_answer_invalid',
      () => broker.server.tokens.respondNext({ status: 307, headers: { location: 'http://127.0.0.1:9/' } }),
    ],
    [
      'does not like the request',
      'provider_rejected_request',
      () => broker.server.tokens.respondNext({ status: 400, body: { error: 'invalid_scope' } }),
    ],
  ])('when it %s: %s, and the grant is as good as before', async (what, code, misbehave) => {
    const name = `when-it-${what.replaceAll(' ', '-')}`;
    await connect(broker, name);
    misbehave();
    expect(await refresh(name)).toMatchObject({ status: 503, json: { error: code } });
    expect(await detail(broker, name)).toMatchObject({ status: 'completed', failure: { code } });
    expect((await refresh(name)).json.refreshed).toBe(true);
  });

  it('provider_unavailable after the token has lapsed leaves it completed, for it will be tried again', async () => {
    await connect(broker, 'lapsed');
    broker.clock.advance(dayMs);
    broker.server.tokens.respondNext({ status: 500, body: 'oops' });
    expect((await refresh('lapsed')).json.error).toBe('provider_unavailable');
    expect((await refresh('lapsed')).json).toMatchObject({ status: 'completed', refreshed: true });
  });
});

describe('POST /oauth/connections/{connection_name}/refresh: 503 refresh_in_progress', () => {
  it('while the process is stopping, with Retry-After', async () => {
    const stopping = await startTestBroker();
    try {
      await connect(stopping, 'late');
      await stopping.composition.broker.drain();
      const refused = await stopping.call('POST', `${path}/late/refresh`, { body: {} });
      expect(refused).toMatchObject({ status: 503, json: { error: 'refresh_in_progress' } });
      expect(refused.headers.get('retry-after')).toBe('2');
    } finally {
      await stopping.stop();
    }
  });
});

describe('POST /oauth/connections/{connection_name}/refresh: GLOBAL', () => {
  it('403 organization_forbidden for its own grant by way of another organisation; GLOBAL itself may', async () => {
    await connect(broker, 'global', { org: 'GLOBAL' });
    const before = await rowOf(broker, 'global', 'GLOBAL');
    const key = await broker.createKey(['ORG1'], ['operator', 'admin']);
    for (const options of [{ key }, {}]) {
      const refused = await refresh('global', {}, options);
      expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    }
    expect(await rowOf(broker, 'global', 'GLOBAL')).toEqual(before);
    expect((await refresh('global', {}, { org: 'GLOBAL' })).json.refreshed).toBe(true);
  });

  it('refreshes a user’s grant in the caller’s organisation', async () => {
    await create(broker, 'global-users', { org: 'GLOBAL' });
    await signIn(broker, 'global-users', { org: 'ORG1', userId: 'u1' });
    const key = await broker.createKey(['ORG1'], ['operator']);
    expect((await refresh('global-users', { user_id: 'u1' }, { key })).json.refreshed).toBe(true);
    const elsewhere = await refresh('global-users', { user_id: 'u1' }, { org: 'ORG2' });
    expect(elsewhere).toMatchObject({ status: 503, json: { error: 'connection_not_ready' } });
  });
});

describe('POST /oauth/connections/{connection_name}/refresh: refused', () => {
  it('404 connection_not_found, for another organisation’s as well', async () => {
    await connect(broker, 'theirs', { org: 'ORG2' });
    broker.server.tokens.reset();
    const key = await broker.createKey(['ORG1'], ['operator']);
    for (const name of ['theirs', 'never-made']) {
      expect(await refresh(name, {}, { key })).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    }
    expect(broker.server.tokens.count()).toBe(0);
  });

  it('400 validation_failed for an unknown field', async () => {
    expect(await refresh('fresh', { force: true })).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: 'force' }] },
    });
  });

  it.each(['reader', 'auditor'] as const)('403 role_required for the role %s alone', async (role) => {
    const refused = await refresh('fresh', {}, { key: await broker.createKey(['ORG1'], [role]) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
  });
});
