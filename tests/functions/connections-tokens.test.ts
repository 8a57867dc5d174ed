import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  accessToken,
  connect,
  create,
  detail,
  everythingKept,
  issuedTokens,
  rowsOf,
  serviceBody,
  signIn,
} from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let issued: ReturnType<typeof issuedTokens>;
beforeAll(async () => {
  broker = await startTestBroker();
  issued = issuedTokens(broker);
});
afterEach(() => broker.server.tokens.reset());
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
interface Options {
  readonly org?: string | null;
  readonly key?: string | null;
}
const bring = (name: string, body: unknown, options: Options = {}) =>
  broker.call('POST', `${path}/${name}/tokens`, { body, ...options });
const inMs = (milliseconds: number) => new Date(broker.clock.now() + milliseconds).toISOString();
const hourMs = 3600_000;

let count = 0;
/** Tokens that the provider gave to somebody else’s program, through the same client. */
async function tokensFromElsewhere() {
  count += 1;
  await connect(broker, `elsewhere-${count}`);
  broker.server.tokens.reset();
  const { access_token, refresh_token } = issued.at(-1) ?? { access_token: '' };
  return { access_token, refresh_token };
}

describe('POST /oauth/connections/{connection_name}/tokens: 200', () => {
  it('takes an access token as it is, without asking the provider', async () => {
    await create(broker, 'access-only');
    const expires = inMs(hourMs);
    const { status, json, text } = await bring('access-only', {
      access_token: 'marker-access-token',
      expires_at: expires,
      scopes: 'openid read',
    });
    expect(status).toBe(200);
    expect(json).toEqual({
      status: 'completed',
      status_reason: null,
      status_message: null,
      expires_at: expires,
      refreshed: false,
    });
    expect(text).not.toContain('marker-access-token');
    expect(broker.server.tokens.count()).toBe(0);
    expect(await broker.call('GET', '/api/oauth/credentials/access-only')).toMatchObject({
      status: 200,
      json: { access_token: 'marker-access-token', expires_at: expires, scopes: 'openid read', method: 'saved_token' },
    });
  });

  it('keeps tokens sealed: in no table and no log line in clear', async () => {
    await create(broker, 'sealed');
    await bring('sealed', { access_token: 'marker-a-7f3', refresh_token: 'marker-r-7f3', expires_at: inMs(hourMs) });
    const kept = JSON.stringify(await rowsOf(broker, 'OAuthConnections')) + broker.lines.join('');
    expect(kept).not.toContain('marker-a-7f3');
    expect(kept).not.toContain('marker-r-7f3');
  });

  it('takes both, and refreshes once the access token has lapsed', async () => {
    const { access_token, refresh_token } = await tokensFromElsewhere();
    await create(broker, 'both');
    await bring('both', { access_token, refresh_token, expires_at: inMs(hourMs) });
    expect(await detail(broker, 'both')).toMatchObject({ status: 'completed', has_refresh_token: true });
    expect(await accessToken(broker, 'both')).toBe(access_token);
    broker.clock.advance(hourMs);
    expect(await accessToken(broker, 'both')).not.toBe(access_token);
    expect(broker.server.tokens.count('refresh_token')).toBe(1);
  });

  it('uses a refresh token alone at once to get an access token', async () => {
    const { refresh_token } = await tokensFromElsewhere();
    await create(broker, 'refresh-only');
    expect(await bring('refresh-only', { refresh_token })).toMatchObject({
      status: 200,
      json: { status: 'completed', refreshed: true },
    });
    expect(await broker.server.isActive(await accessToken(broker, 'refresh-only'))).toBe(true);
  });

  it('keeps a refresh token though the provider is down, and uses it later', async () => {
    const { refresh_token } = await tokensFromElsewhere();
    await create(broker, 'provider-down');
    broker.server.tokens.respondNext({ status: 503, body: 'down' });
    expect(await bring('provider-down', { refresh_token })).toMatchObject({
      status: 200,
      json: { status: 'not_connected', refreshed: false },
    });
    expect(await detail(broker, 'provider-down')).toMatchObject({
      has_refresh_token: true,
      failure: { code: 'provider_unavailable' },
    });
    broker.clock.advance(hourMs);
    expect(await broker.server.isActive(await accessToken(broker, 'provider-down'))).toBe(true);
  });

  it('shows that the provider does not take the refresh token', async () => {
    await create(broker, 'dead');
    expect(await bring('dead', { refresh_token: 'nobody-knows-it' })).toMatchObject({
      status: 200,
      json: { status: 'failed', status_reason: 'needs_reauthorization', refreshed: false },
    });
  });

  it('takes a token without an end, and one that has lapsed for what it is', async () => {
    await create(broker, 'endless');
    expect((await bring('endless', { access_token: 'x' })).json).toMatchObject({
      status: 'completed',
      expires_at: null,
    });
    expect(await accessToken(broker, 'endless')).toBe('x');
    expect(await bring('endless', { access_token: 'y', expires_at: inMs(-1000) })).toMatchObject({
      status: 200,
      json: { status: 'failed', status_reason: 'needs_reauthorization' },
    });
  });

  it('replaces the tokens there were, the account and the failure with them', async () => {
    await connect(broker, 'replaced');
    broker.server.tokens.respondNext({ status: 503, body: 'down' });
    await broker.call('POST', `${path}/replaced/refresh`, { body: {} });
    await bring('replaced', { access_token: 'new', expires_at: inMs(hourMs) });
    expect(await detail(broker, 'replaced')).toMatchObject({
      status: 'completed',
      has_refresh_token: false,
      granted_scopes: null,
      failure: null,
    });
    expect(await accessToken(broker, 'replaced')).toBe('new');
  });

  it('beats a refresh that is under way', async () => {
    await connect(broker, 'under-way');
    const held = broker.server.tokens.holdNext({ at: 'answer' });
    const refresh = broker.call('POST', `${path}/under-way/refresh`, { body: {} });
    await held.waiting();
    await bring('under-way', { access_token: 'imported', expires_at: inMs(hourMs) });
    held.release();
    await refresh;
    expect(await accessToken(broker, 'under-way')).toBe('imported');
  });

  it('takes them for a user, and changes nothing of the organisation’s own', async () => {
    await create(broker, 'of-user');
    expect(await bring('of-user', { user_id: 'u1', access_token: 'of-u1', expires_at: inMs(hourMs) })).toMatchObject({
      status: 200,
      json: { status: 'completed' },
    });
    expect(await accessToken(broker, 'of-user', { userId: 'u1' })).toBe('of-u1');
    expect((await detail(broker, 'of-user')).status).toBe('not_connected');
    const { grants } = (await broker.call('GET', `${path}/of-user/grants`)).json;
    expect(grants).toMatchObject([{ user_id: 'u1', status: 'completed' }]);
  });
});

describe('POST /oauth/connections/{connection_name}/tokens: refused, with nothing written', () => {
  it.each<[Record<string, unknown>, string]>([
    [{}, 'access_token'],
    [{ access_token: null, refresh_token: null }, 'access_token'],
    [{ scopes: 'read', expires_at: '2999-01-01T00:00:00Z' }, 'access_token'],
    [{ access_token: '' }, 'access_token'],
    [{ access_token: 5 }, 'access_token'],
    [{ access_token: 'line\r\nbreak' }, 'access_token'],
    [{ access_token: 'tökèn' }, 'access_token'],
    [{ access_token: 'x', refresh_token: 'a\u0000b' }, 'refresh_token'],
    [{ access_token: 'x', expires_at: 'tomorrow' }, 'expires_at'],
    [{ access_token: 'x', expires_at: 1_900_000_000 }, 'expires_at'],
    [{ access_token: 'x', expires_at: '2026-02-30T00:00:00Z' }, 'expires_at'],
    [{ access_token: 'x', expires_in: 3600 }, 'expires_in'],
    [{ access_token: 'x', scopes: ['read'] }, 'scopes'],
    [{ access_token: 'x', user_id: '' }, 'user_id'],
    [{ access_token: 'x', token_type: 'Bearer' }, 'token_type'],
  ])('400 validation_failed for %j', async (body, at) => {
    await create(broker, 'witness').catch(() => {});
    const before = await everythingKept(broker);
    expect(await bring('witness', body)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: at }] },
    });
    expect(await everythingKept(broker)).toEqual(before);
  });

  it('400 for client credentials, which get their tokens by themselves', async () => {
    await broker.call('POST', path, { body: serviceBody(broker, 'service') });
    expect(await bring('service', { access_token: 'x' })).toMatchObject({
      status: 400,
      json: { error: 'validation_failed' },
    });
    expect((await detail(broker, 'service')).status).toBe('not_connected');
  });

  it('400 for a token over 64 KB, and the ones there were stay; two of just that size fit', async () => {
    await create(broker, 'too-large');
    const [longest, expires_at] = ['x'.repeat(64 * 1024), inMs(hourMs)];
    const taken = await bring('too-large', { access_token: longest, refresh_token: longest, expires_at });
    expect(taken.status).toBe(200);
    const refused = await bring('too-large', { access_token: `${longest}x`, expires_at });
    expect(refused).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: 'access_token' }] },
    });
    expect(refused.text).not.toContain('xxxx');
    expect(await accessToken(broker, 'too-large')).toBe(longest);
  });

  it('404 connection_not_found, for another organisation’s as well', async () => {
    await create(broker, 'theirs', { org: 'ORG2' });
    const key = await broker.createKey(['ORG1'], ['admin']);
    for (const name of ['theirs', 'never-made']) {
      const refused = await bring(name, { access_token: 'x' }, { key });
      expect(refused).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    }
    expect((await detail(broker, 'theirs', 'ORG2')).status).toBe('not_connected');
  });

  it.each(['operator', 'reader', 'auditor'] as const)('403 role_required for the role %s alone', async (role) => {
    const refused = await bring('both', { access_token: 'x' }, { key: await broker.createKey(['ORG1'], [role]) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
  });
});

describe('POST /oauth/connections/{connection_name}/tokens: GLOBAL', () => {
  it('403 organization_forbidden for its own grant by way of another organisation; a user’s lies in that one', async () => {
    await create(broker, 'global', { org: 'GLOBAL' });
    const key = await broker.createKey(['ORG1'], ['admin']);
    const body = { access_token: 'x', expires_at: inMs(hourMs) };
    const refused = await bring('global', body, { key });
    expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    expect((await detail(broker, 'global', 'GLOBAL')).status).toBe('not_connected');
    expect((await bring('global', { ...body, user_id: 'u1' }, { key })).status).toBe(200);
    expect(await accessToken(broker, 'global', { org: 'ORG1', userId: 'u1' })).toBe('x');
    await signIn(broker, 'global', { org: 'ORG2', userId: 'u1' });
    expect(await accessToken(broker, 'global', { org: 'ORG2', userId: 'u1' })).not.toBe('x');
  });
});
