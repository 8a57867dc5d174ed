import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, connect, createConnection, credentialsOf, detailOf, land, signIn } from './support/authorizing.ts';
import { createMinting, createRefreshing } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const path = (name: string) => `/api/oauth/connections/${name}/authorize`;

describe('POST authorize, 200', () => {
  it('gives the pages, the state and the deadline, and the connection waits for the callback', async () => {
    await createConnection(broker, 'plain');
    const before = broker.clock.now();
    const started = await begin(broker, 'plain');
    expect(Object.keys(started).sort()).toEqual(['authorization_url', 'connect_url', 'expires_at', 'state']);
    expect(started.connect_url).toMatch(new RegExp(`^${broker.url}/api/connect/[\\w-]{43}$`));
    const lifeMs = Date.parse(started.expires_at) - before;
    expect(lifeMs).toBeGreaterThanOrEqual(600_000);
    expect(lifeMs).toBeLessThan(605_000);
    expect((await detailOf(broker, 'plain')).json).toMatchObject({
      status: 'waiting_callback',
      pending_authorization: true,
    });
  });

  it('asks for a code with PKCE by S256 and keeps the verifier to itself (S-13, S-14)', async () => {
    await createConnection(broker, 'pkce');
    const started = await begin(broker, 'pkce');
    const url = new URL(started.authorization_url);
    expect(`${url.origin}${url.pathname}`).toBe(broker.server.endpoints.authorization);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: 'code',
      client_id: broker.server.clients.basic.clientId,
      redirect_uri: `${broker.url}/api/oauth/callback/pkce`,
      scope: 'openid read',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      nonce: expect.stringMatching(/^[\w-]{22,}$/),
      state: started.state,
    });
  });

  it('makes a state of 256 bits that is new each time and says nothing (S-15)', async () => {
    await createConnection(broker, 'states');
    const states = new Set<string>();
    const challenges = new Set<string>();
    for (let round = 0; round < 30; round += 1) {
      const { state, authorization_url, connect_url } = await begin(broker, 'states');
      expect(state).toMatch(/^[\w-]{43}$/);
      expect(Buffer.from(state, 'base64url')).toHaveLength(32);
      expect(Buffer.from(state, 'base64url').toString('latin1')).not.toMatch(/ORG1|states/);
      expect(connect_url).not.toContain(state);
      states.add(state);
      challenges.add(new URL(authorization_url).searchParams.get('code_challenge') ?? '');
    }
    expect(states.size).toBe(30);
    expect(challenges.size).toBe(30);
  });

  it('passes login_hint and prompt on, and asks for the part of the scopes that is named', async () => {
    await createConnection(broker, 'hinted', { scopes: 'openid,read,write' });
    const body = { login_hint: 'ann@example.com', prompt: 'consent', scopes: 'read' };
    const query = new URL((await begin(broker, 'hinted', body)).authorization_url).searchParams;
    expect(query.get('login_hint')).toBe('ann@example.com');
    expect(query.get('prompt')).toBe('consent');
    expect(query.get('scope')).toBe('read');
  });

  it('sends the scopes with the connection’s own separator', async () => {
    await createConnection(broker, 'commas', { scopes: 'read write', scope_separator: 'comma' });
    const query = new URL((await begin(broker, 'commas')).authorization_url).searchParams;
    expect(query.get('scope')).toBe('read,write');
  });

  it('takes the redirect URI from PUBLIC_BASE_URL, whatever the request’s headers say (S-19)', async () => {
    await createConnection(broker, 'hosts');
    const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example', 'x-original-url': '/evil' };
    const started = await begin(broker, 'hosts', {}, { headers });
    expect(JSON.stringify(started)).not.toContain('evil');
    const text = JSON.stringify({});
    const answer = await broker.host.raw(
      `POST ${path('hosts')} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\nx-api-key: ${broker.adminKey}\r\n` +
        `x-organization-id: ORG1\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    );
    expect(answer).toContain('HTTP/1.1 200');
    expect(answer).not.toContain('evil');
  });

  it('lets no parameter from the configuration replace one of Bowline’s own (S-21)', async () => {
    const own = [
      'client_id',
      'redirect_uri',
      'response_type',
      'state',
      'scope',
      'code_challenge',
      'nonce',
      'Client_Id',
    ];
    const url = new URL(broker.server.endpoints.authorization);
    for (const name of [...own, 'code_challenge_method', 'request', 'request_uri']) url.searchParams.set(name, 'evil');
    url.searchParams.set('tenant', 'kept');
    const extra = { access_type: 'offline' };
    await createConnection(broker, 'injected', { authorization_url: url.href, extra_authorize_params: extra });
    const { authorization_url } = await begin(broker, 'injected');
    expect(authorization_url).not.toContain('evil');
    const query = new URL(authorization_url).searchParams;
    expect([query.get('access_type'), query.get('tenant')]).toEqual(['offline', 'kept']);
  });

  it('replaces an older authorization of the same grant by the newer', async () => {
    await createConnection(broker, 'twice');
    const older = await begin(broker, 'twice');
    const redirect = await signIn(older);
    const newer = await begin(broker, 'twice');
    const calls = broker.server.tokens.count();
    expect((await land(redirect)).status).toBe(400);
    expect((await land(older.connect_url)).status).toBe(404);
    expect(broker.server.tokens.count()).toBe(calls);
    expect((await land(await signIn(newer))).status).toBe(200);
  });

  it('keeps the authorizations of two users and of the organisation apart', async () => {
    await createConnection(broker, 'apart');
    const started = [
      await begin(broker, 'apart'),
      await begin(broker, 'apart', { user_id: 'ann' }),
      await begin(broker, 'apart', { user_id: 'ben' }),
    ];
    for (const one of started) expect((await land(await signIn(one))).status).toBe(200);
  });

  it('keeps a completed connection completed and shows the authorization that is under way', async () => {
    await createConnection(broker, 'again');
    await connect(broker, 'again');
    await begin(broker, 'again');
    expect((await detailOf(broker, 'again')).json).toMatchObject({ status: 'completed', pending_authorization: true });
  });

  it('leaves the connection’s own status alone when a user authorizes', async () => {
    await createConnection(broker, 'users');
    await begin(broker, 'users', { user_id: 'ann' });
    expect((await detailOf(broker, 'users')).json).toMatchObject({
      status: 'not_connected',
      pending_authorization: false,
    });
    await connect(broker, 'users', { body: { user_id: 'ann' } });
    expect((await detailOf(broker, 'users')).json.status).toBe('not_connected');
    expect((await credentialsOf(broker, 'users', '?user_id=ann')).json).toMatchObject({ user_id: 'ann' });
  });

  it('lets a user of any organisation authorize for themselves through a GLOBAL connection', async () => {
    await createConnection(broker, 'shared', {}, { org: 'GLOBAL' });
    await connect(broker, 'shared', { body: { user_id: 'ann' }, call: { org: 'ORG2' } });
    const read = await credentialsOf(broker, 'shared', '?user_id=ann', { org: 'ORG2' });
    expect(read).toMatchObject({ status: 200, json: { org_id: 'GLOBAL', user_id: 'ann' } });
    expect((await credentialsOf(broker, 'shared', '?user_id=ann', { org: 'ORG3' })).status).toBe(503);
    expect((await detailOf(broker, 'shared', { org: 'GLOBAL' })).json.status).toBe('not_connected');
  });

  it('reads as before once its ten minutes are over', async () => {
    await createConnection(broker, 'lapsing');
    await begin(broker, 'lapsing');
    broker.clock.advance(600_001);
    expect((await detailOf(broker, 'lapsing')).json).toMatchObject({
      status: 'not_connected',
      status_reason: null,
      pending_authorization: false,
    });
  });
});

describe('POST authorize, refused', () => {
  it('400 authorization_not_applicable for flows without a person', async () => {
    await createMinting(broker, 'machine');
    await createRefreshing(broker, 'refresher');
    for (const name of ['machine', 'refresher']) {
      const answer = await broker.call('POST', path(name), { body: {} });
      expect(answer).toMatchObject({ status: 400, json: { error: 'authorization_not_applicable' } });
      expect(answer.json.message).toContain('needs no person');
    }
  });

  it('400 for scopes that the connection does not have, by name', async () => {
    await createConnection(broker, 'narrow');
    const answer = await broker.call('POST', path('narrow'), { body: { scopes: 'read admin' } });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed', details: [{ path: 'scopes' }] } });
    expect(answer.json.message).toContain('admin');
    expect((await detailOf(broker, 'narrow')).json.status).toBe('not_connected');
  });

  it.each([
    ['an unknown field', { redirect_uri: 'https://evil.example' }, 'redirect_uri'],
    ['a user_id that is no text', { user_id: 7 }, 'user_id'],
    ['an empty user_id', { user_id: '' }, 'user_id'],
    ['a user_id of 257 characters', { user_id: 'u'.repeat(257) }, 'user_id'],
    ['an allow_account_change that is no flag', { allow_account_change: 'true' }, 'allow_account_change'],
  ])('400 validation_failed for %s, and nothing is pending', async (_what, body, field) => {
    const name = `faulty-${field}-${String(JSON.stringify(body).length)}`;
    await createConnection(broker, name);
    const answer = await broker.call('POST', path(name), { body });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed', details: [{ path: field }] } });
    expect((await detailOf(broker, name)).json.pending_authorization).toBe(false);
  });

  it('400 for a body that is not JSON', async () => {
    const answer = await broker.call('POST', path('plain'), { body: '{"user_id":' });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('404 for another organisation’s connection, as for one that does not exist: this hides existence', async () => {
    await createConnection(broker, 'hidden', {}, { org: 'ORG9' });
    const hidden = await broker.call('POST', path('hidden'), { body: {} });
    const missing = await broker.call('POST', path('absent'), { body: {} });
    expect(hidden).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    const { correlation_id: _one, ...shown } = hidden.json;
    const { correlation_id: _other, ...expected } = missing.json;
    expect(shown).toEqual({ ...expected, message: expected.message.replace('absent', 'hidden') });
  });

  it('403 for the own grant of a GLOBAL connection from another organisation, platform callers included', async () => {
    await createConnection(broker, 'global-own', {}, { org: 'GLOBAL' });
    const operator = await broker.createKey(['ORG2'], ['operator']);
    for (const key of [operator, broker.adminKey]) {
      const answer = await broker.call('POST', path('global-own'), { body: {}, org: 'ORG2', key });
      expect(answer).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    }
    expect((await detailOf(broker, 'global-own', { org: 'GLOBAL' })).json.pending_authorization).toBe(false);
    expect((await broker.call('POST', path('global-own'), { body: {}, org: 'GLOBAL' })).status).toBe(200);
  });

  it('404 for a GLOBAL connection that is not shared with the organisation', async () => {
    await createConnection(broker, 'reserved', { shared_with: ['ORG5'] }, { org: 'GLOBAL' });
    const body = { user_id: 'ann' };
    expect((await broker.call('POST', path('reserved'), { body, org: 'ORG6' })).status).toBe(404);
    expect((await broker.call('POST', path('reserved'), { body, org: 'ORG5' })).status).toBe(200);
  });
});
