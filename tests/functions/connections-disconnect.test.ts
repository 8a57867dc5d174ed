import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import {
  accessToken,
  connect,
  create,
  detail,
  issuedTokens,
  rowOf,
  rowsOf,
  secretInVault,
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
afterEach(() => {
  broker.vault.faults.clear();
  broker.server.tokens.reset();
});
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
interface Options {
  readonly org?: string | null;
  readonly key?: string | null;
}
const disconnect = (name: string, body: unknown = {}, options: Options = {}) =>
  broker.call('POST', `${path}/${name}/disconnect`, { body, ...options });
const credentials = (name: string, query = '') => broker.call('GET', `/api/oauth/credentials/${name}${query}`);
/** The configuration, without what a grant changes. */
const configOf = async (name: string) => {
  const { scopes, client_id, token_url, description, has_client_secret, updated_at } = await detail(broker, name);
  return { scopes, client_id, token_url, description, has_client_secret, updated_at };
};

describe('POST /oauth/connections/{connection_name}/disconnect: 200', () => {
  it('revokes the tokens at the provider, drops them here and keeps the configuration (S-39)', async () => {
    await connect(broker, 'cut', { changes: { description: 'kept' } });
    const token = await accessToken(broker, 'cut');
    const refreshToken = issued.at(-1)?.refresh_token ?? 'none';
    const before = await configOf('cut');
    const { status, json } = await disconnect('cut');
    expect(status).toBe(200);
    expect(json).toEqual({ message: expect.any(String), status: 'not_connected', revoked: true });
    expect(await broker.server.isActive(token)).toBe(false);
    expect(await broker.server.isActive(refreshToken)).toBe(false);
    expect(await detail(broker, 'cut')).toMatchObject({
      status: 'not_connected',
      status_reason: null,
      expires_at: null,
      granted_scopes: null,
      has_refresh_token: false,
      next_refresh_at: null,
      failure: null,
    });
    expect(await configOf('cut')).toEqual(before);
    expect(await secretInVault(broker, (await rowOf(broker, 'cut'))?.client_secret_ref)).toBe(200);
  });

  it('ends credentials and refreshes at once, until somebody signs in again', async () => {
    await connect(broker, 'ended');
    await disconnect('ended');
    broker.server.tokens.reset();
    expect(await credentials('ended')).toMatchObject({ status: 503, json: { error: 'connection_not_ready' } });
    expect((await broker.call('POST', `${path}/ended/refresh`, { body: {} })).json.error).toBe('connection_not_ready');
    expect(broker.server.tokens.count()).toBe(0);
    await signIn(broker, 'ended');
    expect(await broker.server.isActive(await accessToken(broker, 'ended'))).toBe(true);
  });

  it('allows another account to sign in afterwards', async () => {
    await connect(broker, 'other-account', { login: 'alice' });
    await disconnect('other-account');
    await signIn(broker, 'other-account', { login: 'bob' });
    expect((await detail(broker, 'other-account')).status).toBe('completed');
  });

  it.each<[string, Record<string, unknown>]>([
    ['there is nothing to revoke with', { revocation_url: null }],
    ['nobody listens there', { revocation_url: 'http://127.0.0.1:9/revoke' }],
  ])('drops them here although %s, and says revoked: false', async (what, changes) => {
    const name = `though-${what.replaceAll(' ', '-')}`;
    await connect(broker, name, { changes });
    expect(await disconnect(name)).toMatchObject({ status: 200, json: { status: 'not_connected', revoked: false } });
    expect(await detail(broker, name)).toMatchObject({ status: 'not_connected', has_refresh_token: false });
  });

  it('drops them here although the client secret cannot be read (S-39)', async () => {
    await connect(broker, 'no-vault');
    broker.vault.faults.outage();
    expect((await disconnect('no-vault')).status).toBe(200);
    expect((await detail(broker, 'no-vault')).status).toBe('not_connected');
  });

  it('does nothing where there are no tokens, twice if need be', async () => {
    await create(broker, 'nothing');
    for (let time = 0; time < 2; time += 1) {
      expect(await disconnect('nothing')).toMatchObject({
        status: 200,
        json: { status: 'not_connected', revoked: false },
      });
    }
  });

  it('ends an authorization that is under way: its callback changes nothing', async () => {
    await create(broker, 'under-way');
    const started = await broker.call('POST', `${path}/under-way/authorize`, { body: {} });
    const browser = createUserAgent();
    const redirect = await browser.browse(started.json.authorization_url);
    expect(await rowsOf(broker, 'OAuthTransactions')).toHaveLength(1);
    expect((await disconnect('under-way')).status).toBe(200);
    expect(await rowsOf(broker, 'OAuthTransactions')).toEqual([]);
    expect(await detail(broker, 'under-way')).toMatchObject({ status: 'not_connected', pending_authorization: false });
    const landed = await browser.followTo(redirect);
    expect(landed.status).toBe(400);
    expect(broker.server.tokens.count()).toBe(0);
    expect((await detail(broker, 'under-way')).status).toBe('not_connected');
  });

  it('wins against a refresh under way, whose tokens are revoked', async () => {
    await connect(broker, 'in-flight');
    const held = broker.server.tokens.holdNext({ at: 'answer' });
    const refresh = broker.call('POST', `${path}/in-flight/refresh`, { body: {} });
    await held.waiting();
    await disconnect('in-flight');
    held.release();
    await refresh;
    expect(await detail(broker, 'in-flight')).toMatchObject({ status: 'not_connected', has_refresh_token: false });
    expect(await broker.server.isActive(issued.at(-1)?.access_token ?? 'none')).toBe(false);
    expect((await credentials('in-flight')).status).toBe(503);
  });

  it('drops the token of client credentials, which the next call gets anew', async () => {
    await broker.call('POST', `${path}?connect=true`, { body: serviceBody(broker, 'service') });
    const token = await accessToken(broker, 'service');
    expect((await disconnect('service')).json.status).toBe('not_connected');
    expect((await detail(broker, 'service')).status).toBe('not_connected');
    expect(await accessToken(broker, 'service')).not.toBe(token);
  });
});

describe('POST /oauth/connections/{connection_name}/disconnect: users', () => {
  it('disconnects that user alone', async () => {
    await connect(broker, 'users');
    await signIn(broker, 'users', { userId: 'u1', login: 'bob' });
    await signIn(broker, 'users', { userId: 'u2', login: 'carol' });
    const own = await accessToken(broker, 'users');
    const first = await accessToken(broker, 'users', { userId: 'u1' });
    const second = await accessToken(broker, 'users', { userId: 'u2' });
    expect(await disconnect('users', { user_id: 'u1' })).toMatchObject({ status: 200, json: { revoked: true } });
    const alive = await Promise.all([own, first, second].map((token) => broker.server.isActive(token)));
    expect(alive).toEqual([true, false, true]);
    expect((await credentials('users', '?user_id=u1')).json.error).toBe('connection_not_ready');
    expect(await accessToken(broker, 'users', { userId: 'u2' })).toBe(second);
    expect((await detail(broker, 'users')).status).toBe('completed');
  });

  it('200 for a user who was never connected, without a row for them', async () => {
    await create(broker, 'no-such-user');
    const before = await rowsOf(broker, 'OAuthUserGrants');
    expect(await disconnect('no-such-user', { user_id: 'stranger' })).toMatchObject({
      status: 200,
      json: { status: 'not_connected', revoked: false },
    });
    expect(await rowsOf(broker, 'OAuthUserGrants')).toEqual(before);
  });
});

describe('POST /oauth/connections/{connection_name}/disconnect: GLOBAL', () => {
  it('403 organization_forbidden for its own grant by way of another organisation; GLOBAL itself may', async () => {
    await connect(broker, 'global', { org: 'GLOBAL' });
    const key = await broker.createKey(['ORG1'], ['operator', 'admin']);
    const refused = await disconnect('global', {}, { key });
    expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    expect((await detail(broker, 'global', 'GLOBAL')).status).toBe('completed');
    expect((await disconnect('global', {}, { org: 'GLOBAL' })).json.revoked).toBe(true);
  });

  it('disconnects a user of the caller’s organisation, and not the one of the same id elsewhere', async () => {
    await create(broker, 'global-users', { org: 'GLOBAL' });
    await signIn(broker, 'global-users', { org: 'ORG1', userId: 'u1', login: 'alice' });
    await signIn(broker, 'global-users', { org: 'ORG2', userId: 'u1', login: 'bob' });
    const theirs = await accessToken(broker, 'global-users', { org: 'ORG2', userId: 'u1' });
    const key = await broker.createKey(['ORG1'], ['operator']);
    expect((await disconnect('global-users', { user_id: 'u1' }, { key })).json.revoked).toBe(true);
    expect(await accessToken(broker, 'global-users', { org: 'ORG2', userId: 'u1' })).toBe(theirs);
    expect(await broker.server.isActive(theirs)).toBe(true);
  });
});

describe('POST /oauth/connections/{connection_name}/disconnect: refused', () => {
  it('404 connection_not_found, for another organisation’s as well', async () => {
    await connect(broker, 'theirs', { org: 'ORG2' });
    const key = await broker.createKey(['ORG1'], ['operator']);
    for (const name of ['theirs', 'never-made']) {
      expect(await disconnect(name, {}, { key })).toMatchObject({
        status: 404,
        json: { error: 'connection_not_found' },
      });
    }
    expect((await detail(broker, 'theirs', 'ORG2')).status).toBe('completed');
  });

  it.each<[unknown, string]>([
    [{ user_id: 7 }, 'user_id'],
    [{ revoke: 'no' }, 'revoke'],
  ])('400 validation_failed for %j', async (body, at) => {
    expect(await disconnect('nothing', body)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: at }] },
    });
  });

  it.each(['reader', 'auditor'] as const)('403 role_required for the role %s alone', async (role) => {
    await connect(broker, `as-${role}`);
    const refused = await disconnect(`as-${role}`, {}, { key: await broker.createKey(['ORG1'], [role]) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
    expect((await detail(broker, `as-${role}`)).status).toBe('completed');
  });
});
