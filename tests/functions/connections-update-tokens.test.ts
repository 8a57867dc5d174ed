import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import {
  accessToken,
  connect,
  create,
  detail,
  everythingKept,
  issuedTokens,
  rowOf,
  secretInVault,
  serviceBody,
  signIn,
  vaultChanges,
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
const put = (name: string, body: unknown) => broker.call('PUT', `${path}/${name}`, { body });
const credentials = (name: string, query = '') => broker.call('GET', `/api/oauth/credentials/${name}${query}`);

describe('PUT /oauth/connections/{connection_name}: what drops the tokens', () => {
  const { stringify } = JSON;
  it.each<Record<string, unknown>>([
    { authorization_url: 'https://new.example.com/authorize' },
    { issuer: 'https://new.example.com' },
    { issuer: null },
    { userinfo_url: 'https://new.example.com/me' },
    { test_url: 'https://new.example.com/test' },
    { revocation_url: null },
    { revocation_url: 'https://new.example.com/revoke', client_secret: 'new-secret' },
    { token_url: 'https://new.example.com/token', client_secret: 'new-secret' },
    { client_id: 'another-client' },
    { client_auth: 'client_secret_post' },
    { scopes: 'openid,read,write' },
    { scopes: null },
    { scope_separator: 'comma' },
    { extra_token_params: { audience: 'x' } },
  ])('drops them and shows not_connected for %j', async (change) => {
    const name = `moved-${stringify(change).replaceAll(/\W+/g, '-')}`.slice(0, 100);
    await connect(broker, name);
    const changed = await put(name, change);
    expect(changed).toMatchObject({
      status: 200,
      json: {
        status: 'not_connected',
        status_reason: null,
        expires_at: null,
        granted_scopes: null,
        has_refresh_token: false,
        next_refresh_at: null,
        failure: null,
      },
    });
    expect(await credentials(name)).toMatchObject({ status: 503, json: { error: 'connection_not_ready' } });
    expect(broker.server.tokens.count('refresh_token')).toBe(0);
  });

  it.each<Record<string, unknown>>([
    { description: 'new' },
    { tags: ['new'] },
    { scopes: 'openid read' },
    { client_secret: 'app-secret-for-tests' },
    { description: null, tags: null, shared_with: null },
    {},
  ])('keeps them for %j, which changes where they go in nothing', async (change) => {
    const name = `kept-${stringify(change).replaceAll(/\W+/g, '-')}`;
    await connect(broker, name);
    const token = await accessToken(broker, name);
    expect(await put(name, change)).toMatchObject({ status: 200, json: { status: 'completed' } });
    expect(await accessToken(broker, name)).toBe(token);
    expect((await broker.call('POST', `${path}/${name}/refresh`, { body: {} })).json.refreshed).toBe(true);
  });

  it('makes users’ grants useless as well: their tokens go to the old endpoints only', async () => {
    await create(broker, 'users');
    await signIn(broker, 'users', { userId: 'u1' });
    await accessToken(broker, 'users', { userId: 'u1' });
    await put('users', { scopes: 'openid,read,write' });
    expect(await credentials('users', '?user_id=u1')).toMatchObject({
      status: 503,
      json: { error: 'connection_not_ready', status: 'not_connected' },
    });
    expect((await broker.call('GET', `${path}/users/grants`)).json.grants).toEqual([]);
    await signIn(broker, 'users', { userId: 'u1' });
    expect(await broker.server.isActive(await accessToken(broker, 'users', { userId: 'u1' }))).toBe(true);
  });

  it('ends an authorization that is under way: its callback changes nothing', async () => {
    await create(broker, 'under-way');
    const started = await broker.call('POST', `${path}/under-way/authorize`, { body: {} });
    const browser = createUserAgent();
    const redirect = await browser.browse(started.json.authorization_url);
    broker.server.tokens.reset();
    expect((await put('under-way', { scopes: 'openid' })).json).toMatchObject({
      status: 'not_connected',
      pending_authorization: false,
    });
    const landed = await browser.followTo(redirect);
    expect(landed.html).not.toContain('is connected');
    expect(broker.server.tokens.count()).toBe(0);
    expect((await detail(broker, 'under-way')).status).not.toBe('completed');
  });

  it('drops and revokes the tokens that a refresh under way brings home', async () => {
    await connect(broker, 'in-flight');
    const held = broker.server.tokens.holdNext({ at: 'answer' });
    const refresh = broker.call('POST', `${path}/in-flight/refresh`, { body: {} });
    await held.waiting();
    expect((await put('in-flight', { scopes: 'openid' })).status).toBe(200);
    held.release();
    await refresh;
    expect(await detail(broker, 'in-flight')).toMatchObject({ status: 'not_connected', has_refresh_token: false });
    expect(await broker.server.isActive(issued.at(-1)?.access_token ?? 'none')).toBe(false);
  });

  it('loses nothing of a refresh under way when only a label changes', async () => {
    await connect(broker, 'labelled');
    const held = broker.server.tokens.holdNext({ at: 'answer' });
    const refresh = broker.call('POST', `${path}/labelled/refresh`, { body: {} });
    await held.waiting();
    expect((await put('labelled', { description: 'meanwhile' })).status).toBe(200);
    held.release();
    expect((await refresh).json).toMatchObject({ status: 'completed', refreshed: true });
    expect((await detail(broker, 'labelled')).description).toBe('meanwhile');
    expect((await broker.call('POST', `${path}/labelled/refresh`, { body: {} })).json.refreshed).toBe(true);
  });
});

describe('PUT /oauth/connections/{connection_name}: the client secret', () => {
  it.each([
    ['token_url', { token_url: 'https://new.example.com/token' }],
    ['revocation_url', { revocation_url: 'https://new.example.com/revoke' }],
  ])(
    'must be given again with a new %s, or it could be sent to whoever asked for the change',
    async (field, change) => {
      await connect(broker, `again-${field}`);
      const before = await everythingKept(broker);
      const refused = await put(`again-${field}`, change);
      expect(refused).toMatchObject({
        status: 400,
        json: { error: 'validation_failed', details: [{ path: 'client_secret' }] },
      });
      expect(await everythingKept(broker)).toEqual(before);
    },
  );

  it('need not be given for a token_url that stays, or for a client that has none', async () => {
    await create(broker, 'same-url');
    expect((await put('same-url', { token_url: broker.server.endpoints.token })).status).toBe(200);
    await create(broker, 'public', { changes: { client_auth: 'none', client_id: 'app-public', client_secret: null } });
    expect((await put('public', { token_url: 'https://new.example.com/token' })).status).toBe(200);
  });

  it('is used from the next call on, and the old one leaves the vault', async () => {
    const wrong = serviceBody(broker, 'mended', { client_secret: 'not-the-secret' });
    const created = await broker.call('POST', `${path}?connect=true`, { body: wrong });
    expect(created.json.status_reason).toBe('provider_rejected_client');
    const old = (await rowOf(broker, 'mended'))?.client_secret_ref;
    const changed = await put('mended', { client_secret: broker.server.clients.service.clientSecret });
    expect(changed).toMatchObject({ status: 200, json: { failure: null, has_client_secret: true } });
    expect(changed.text).not.toContain(broker.server.clients.service.clientSecret);
    expect(await broker.server.isActive(await accessToken(broker, 'mended'))).toBe(true);
    const current = (await rowOf(broker, 'mended'))?.client_secret_ref;
    expect(current).not.toBe(old);
    expect(await secretInVault(broker, current)).toBe(200);
    expect(await secretInVault(broker, old)).toBe(404);
  });

  it('goes with null where the client needs none any more', async () => {
    await create(broker, 'went-public');
    const old = (await rowOf(broker, 'went-public'))?.client_secret_ref;
    const changed = await put('went-public', { client_secret: null, client_auth: 'none' });
    expect(changed).toMatchObject({ status: 200, json: { has_client_secret: false, client_auth: 'none' } });
    expect((await rowOf(broker, 'went-public'))?.client_secret_ref).toBe('');
    expect(await secretInVault(broker, old)).toBe(404);
  });

  it('leaves the vault again when the change turns out not to fit into the row', async () => {
    await create(broker, 'too-long');
    const before = await rowOf(broker, 'too-long');
    const known = vaultChanges(broker).length;
    const extra = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, 'x'.repeat(1900)]));
    expect(await put('too-long', { client_secret: 'new-secret', extra_token_params: extra })).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: 'extra_token_params' }] },
    });
    expect(await rowOf(broker, 'too-long')).toEqual(before);
    const [set, deleted, ...more] = vaultChanges(broker).slice(known);
    expect([set?.method, deleted?.method, more]).toEqual(['PUT', 'DELETE', []]);
    expect(deleted?.path).toBe(set?.path);
  });

  it('stays the new one although the old one cannot be deleted', async () => {
    await create(broker, 'left-over');
    await put('left-over', { client_secret: 'never-accepted' });
    broker.vault.faults.respond({ status: 403, times: 5, matches: ({ method }) => method === 'DELETE' });
    expect((await put('left-over', { client_secret: 'hush-of-this-test' })).status).toBe(200);
    broker.vault.faults.clear();
    expect(await secretInVault(broker, (await rowOf(broker, 'left-over'))?.client_secret_ref)).toBe(200);
    expect(broker.lines.some((line) => line.includes('client_secret_left_in_vault'))).toBe(true);
    expect(broker.lines.join('')).not.toContain('hush-of-this-test');
  });
});
