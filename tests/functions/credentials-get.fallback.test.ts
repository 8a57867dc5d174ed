import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rowOf, secretInVault } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { connect, createConnection, credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted, createMinting, createRefreshing, failNext } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  const both = { client_id: 'both', client_secret: 'secret-of-both', redirect_uris: ['http://127.0.0.1/callback'] };
  const grant_types = ['authorization_code', 'refresh_token', 'client_credentials'];
  broker = await startTestBroker({ server: { clients: [{ ...both, grant_types }] } });
});
afterEach(() => {
  broker.server.tokens.reset();
  broker.vault.faults.clear();
});
afterAll(() => broker.stop());

const key = 'key-of-the-service';
const served = { access_token: key, token_type: 'ApiKey', expires_at: null, method: 'api_key', metadata: {} };
const both = { client_id: 'both', client_secret: 'secret-of-both', fallback_client_credentials: true };
const put = (name: string, body: unknown) => broker.call('PUT', `/api/oauth/connections/${name}`, { body });

describe('fallback_api_key', () => {
  it('serves where nobody has authorized, until somebody does', async () => {
    await createConnection(broker, 'unauthorized', { fallback_api_key: key, scopes: 'openid,read' });
    expect(await credentialsOf(broker, 'unauthorized')).toMatchObject({
      status: 200,
      json: { ...served, connection_name: 'unauthorized', org_id: 'ORG1', user_id: null, scopes: 'openid,read' },
    });
    expect((await detailOf(broker, 'unauthorized')).json.status).toBe('not_connected');
    await connect(broker, 'unauthorized');
    expect((await credentialsOf(broker, 'unauthorized')).json).toMatchObject({ method: 'saved_token' });
  });

  it('serves where the grant died, and where the client is rejected', async () => {
    await createRefreshing(broker, 'dead', { fallback_api_key: key });
    failNext(broker, 400, 'invalid_grant');
    expect((await credentialsOf(broker, 'dead')).json).toMatchObject(served);
    await createMinting(broker, 'rejected', { fallback_api_key: key, client_secret: 'a-wrong-one' });
    expect((await credentialsOf(broker, 'rejected')).json).toMatchObject(served);
    expect((await detailOf(broker, 'rejected')).json).toMatchObject({ status_reason: 'provider_rejected_client' });
  });

  it('does not serve where waiting is enough: the provider is down, and the token has lapsed', async () => {
    await createGranted(broker, 'down', { expires_in: 300 }, {}, { fallback_api_key: key });
    broker.clock.advance(301_000);
    failNext(broker, 503, 'temporarily_unavailable');
    const answer = await credentialsOf(broker, 'down');
    expect(answer).toMatchObject({ status: 503, json: { error: 'provider_unavailable' } });
    expect(answer.headers.get('retry-after')).not.toBeNull();
    broker.clock.advance(3_600_000);
    answerNext(broker);
    expect((await credentialsOf(broker, 'down')).json.method).toBe('refreshed');
  });

  it('does not serve a user: it is the organisation’s', async () => {
    await createConnection(broker, 'of-user', { fallback_api_key: key });
    expect(await credentialsOf(broker, 'of-user', '?user_id=ann')).toMatchObject({
      status: 503,
      json: { error: 'connection_not_ready' },
    });
  });

  it('is in no answer but that of the credentials, and in no row; has_fallback_api_key says that there is one', async () => {
    await createConnection(broker, 'hidden', { fallback_api_key: key });
    const { text, json } = await detailOf(broker, 'hidden');
    expect(text).not.toContain(key);
    expect(json).toMatchObject({ has_fallback_api_key: true });
    expect(JSON.stringify(await rowOf(broker, 'hidden'))).not.toContain(key);
    expect(broker.lines.filter((line) => line.includes(key))).toEqual([]);
  });

  it('is replaced and cleared with PUT, and each time the old one leaves the vault', async () => {
    await createConnection(broker, 'changed', { fallback_api_key: key });
    const first = (await rowOf(broker, 'changed'))?.fallback_api_key_ref;
    expect((await put('changed', { description: 'another' })).json.has_fallback_api_key).toBe(true);
    await put('changed', { fallback_api_key: 'the-second' });
    expect((await credentialsOf(broker, 'changed')).json.access_token).toBe('the-second');
    const second = (await rowOf(broker, 'changed'))?.fallback_api_key_ref;
    expect(await secretInVault(broker, first)).toBe(404);
    expect((await put('changed', { fallback_api_key: null })).json.has_fallback_api_key).toBe(false);
    expect(await secretInVault(broker, second)).toBe(404);
    expect((await credentialsOf(broker, 'changed')).json.error).toBe('connection_not_ready');
    expect((await detailOf(broker, 'changed')).json.has_client_secret).toBe(true);
  });

  it('leaves the vault with the connection', async () => {
    await createConnection(broker, 'deleted', { fallback_api_key: key });
    const reference = (await rowOf(broker, 'deleted'))?.fallback_api_key_ref;
    await broker.call('DELETE', '/api/oauth/connections/deleted');
    expect(await secretInVault(broker, reference)).toBe(404);
  });

  it('503 vault_unavailable when it cannot be read', async () => {
    await createConnection(broker, 'no-vault', { fallback_api_key: key });
    broker.clock.advance(25 * 3_600_000);
    broker.vault.faults.outage();
    expect((await credentialsOf(broker, 'no-vault')).json.error).toBe('vault_unavailable');
  });
});

describe('fallback_client_credentials', () => {
  it('serves where nobody has authorized, says so each time, and shows as a warning', async () => {
    await createConnection(broker, 'app', both);
    const first = await credentialsOf(broker, 'app');
    expect(first).toMatchObject({ status: 200, json: { method: 'client_credentials', scopes: 'read' } });
    expect((await credentialsOf(broker, 'app')).json).toMatchObject({
      access_token: first.json.access_token,
      method: 'client_credentials',
    });
    expect(broker.server.tokens.requests.map(({ grantType }) => grantType)).toEqual(['client_credentials']);
    expect((await detailOf(broker, 'app')).json).toMatchObject({
      status: 'completed',
      warnings: [{ code: 'fallback_in_use' }],
    });
  });

  it('gives way to a person who authorizes, and takes over again when that grant dies', async () => {
    await createConnection(broker, 'person', both);
    await credentialsOf(broker, 'person');
    await connect(broker, 'person');
    expect((await credentialsOf(broker, 'person')).json).toMatchObject({
      method: 'saved_token',
      scopes: 'openid read',
    });
    expect((await detailOf(broker, 'person')).json.warnings).toEqual([]);
    broker.clock.advance(301_000);
    expect((await credentialsOf(broker, 'person')).json.method).toBe('refreshed');
    broker.clock.advance(301_000);
    failNext(broker, 400, 'invalid_grant');
    expect((await credentialsOf(broker, 'person')).json.method).toBe('client_credentials');
  });

  it('notices another account after it has served in between', async () => {
    await createConnection(broker, 'account', both);
    await connect(broker, 'account', { login: 'alice' });
    broker.clock.advance(301_000);
    failNext(broker, 400, 'invalid_grant');
    expect((await credentialsOf(broker, 'account')).json.method).toBe('client_credentials');
    await expect(connect(broker, 'account', { login: 'bob' })).rejects.toThrow();
    await connect(broker, 'account', { login: 'alice' });
  });

  it('serves a forced refresh right after the grant has died', async () => {
    await createConnection(broker, 'forced', both);
    await connect(broker, 'forced');
    expect((await credentialsOf(broker, 'forced', '?force_refresh=true')).json.method).toBe('refreshed');
    failNext(broker, 400, 'invalid_grant');
    await broker.call('POST', '/api/oauth/connections/forced/refresh', { body: {} });
    expect((await credentialsOf(broker, 'forced', '?force_refresh=true')).json.method).toBe('client_credentials');
  });

  it('serves no user, and is never refreshed by a sweep', async () => {
    await createConnection(broker, 'quiet', both);
    expect((await credentialsOf(broker, 'quiet', '?user_id=ann')).json.error).toBe('connection_not_ready');
    await credentialsOf(broker, 'quiet');
    expect((await detailOf(broker, 'quiet')).json.next_refresh_at).toBeNull();
  });

  it('goes on to the API key when the provider refuses it, and what a person must do stays said', async () => {
    await createConnection(broker, 'chain', { fallback_client_credentials: true, fallback_api_key: key });
    expect((await credentialsOf(broker, 'chain')).json).toMatchObject(served);
    expect((await detailOf(broker, 'chain')).json).toMatchObject({
      status: 'not_connected',
      failure: { code: 'provider_rejected_request' },
    });
    await put('chain', { fallback_api_key: null });
    expect((await credentialsOf(broker, 'chain')).json).toMatchObject({
      error: 'connection_not_ready',
      authorize: { href: '/api/oauth/connections/chain/authorize' },
    });
  });

  it('drops its token when it is switched off', async () => {
    await createConnection(broker, 'off', both);
    await credentialsOf(broker, 'off');
    expect((await put('off', { fallback_client_credentials: false })).json).toMatchObject({
      status: 'not_connected',
      warnings: [],
    });
    expect((await credentialsOf(broker, 'off')).json.error).toBe('connection_not_ready');
  });

  it.each<[string, Record<string, unknown>]>([
    ['a flow without a person', { oauth_flow_type: 'client_credentials' }],
    ['a client that does not authenticate', { client_auth: 'none', client_secret: null }],
  ])('400 validation_failed for %s', async (_what, changes) => {
    const body = broker.connectionBody('never', { fallback_client_credentials: true, ...changes });
    expect(await broker.call('POST', '/api/oauth/connections', { body })).toMatchObject({
      status: 400,
      json: { details: [{ path: 'fallback_client_credentials' }] },
    });
  });
});

describe('connection_not_ready when all fails', () => {
  it('names what somebody can set or do', async () => {
    await createConnection(broker, 'nothing');
    expect((await credentialsOf(broker, 'nothing')).json).toMatchObject({
      message: expect.stringMatching(/authorized.* set fallback_client_credentials or fallback_api_key/),
      authorize: { method: 'POST' },
    });
    expect((await credentialsOf(broker, 'nothing', '?user_id=ann')).json.message).not.toContain('fallback');
  });
});
