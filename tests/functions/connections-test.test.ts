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
const test = (name: string, body: unknown = {}, options: Options = {}) =>
  broker.call('POST', `${path}/${name}/test`, { body, ...options });
const withTestUrl = () => ({ test_url: broker.server.endpoints.userinfo });
const dayMs = 24 * 3600_000;

describe('POST /oauth/connections/{connection_name}/test: 200', () => {
  it('success when the provider takes the token, and the time is remembered', async () => {
    await connect(broker, 'good', { changes: withTestUrl() });
    const { status, json } = await test('good');
    expect(status).toBe(200);
    expect(json).toEqual({
      test_result: 'success',
      message: expect.stringContaining('200'),
      tested_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect((await detail(broker, 'good')).last_test_at).toBe(json.tested_at);
  });

  it('skipped where there is a token and nothing to try it at', async () => {
    await connect(broker, 'nowhere-to-try');
    const { status, json } = await test('nowhere-to-try');
    expect(status).toBe(200);
    expect(json.test_result).toBe('skipped');
    expect(json.message).toContain('no test_url');
  });

  it('failed when the provider refuses the token, which stays', async () => {
    await connect(broker, 'refused', { changes: withTestUrl() });
    const token = await accessToken(broker, 'refused');
    await (await broker.server.provider.AccessToken.find(token))?.destroy();
    expect(await test('refused')).toMatchObject({ status: 200, json: { test_result: 'failed' } });
    expect(await detail(broker, 'refused')).toMatchObject({ status: 'completed', has_refresh_token: true });
  });

  it('failed when the test endpoint is not there', async () => {
    await connect(broker, 'misspelt', { changes: { test_url: `${broker.server.issuer}/nowhere` } });
    const { json } = await test('misspelt');
    expect(json.test_result).toBe('failed');
    expect(json.message).toContain('404');
  });

  it('failed, not an error, when nobody listens at the test endpoint', async () => {
    await connect(broker, 'unheard', { changes: { test_url: 'http://127.0.0.1:9/ping' } });
    expect(await test('unheard')).toMatchObject({ status: 200, json: { test_result: 'failed' } });
  });

  it('gets the first token of client credentials for it', async () => {
    await broker.call('POST', path, {
      body: serviceBody(broker, 'first', { test_url: `${broker.server.issuer}/jwks` }),
    });
    expect((await test('first')).json.test_result).toBe('success');
    expect(broker.server.tokens.count('client_credentials')).toBe(1);
    expect((await detail(broker, 'first')).status).toBe('completed');
  });

  it('refreshes a token that has lapsed before it tries it', async () => {
    await connect(broker, 'lapsed', { changes: withTestUrl() });
    broker.clock.advance(dayMs);
    expect((await test('lapsed')).json.test_result).toBe('success');
    expect(broker.server.tokens.count('refresh_token')).toBe(1);
  });

  it.each<[string, RegExp, () => void]>([
    ['is down', /cannot answer/, () => broker.server.tokens.respondNext({ status: 503, body: 'down' })],
    [
      'rejects the grant',
      /authorize/i,
      () => broker.server.tokens.respondNext({ status: 400, body: { error: 'invalid_grant' } }),
    ],
    [
      'rejects the client',
      /client/,
      () => broker.server.tokens.respondNext({ status: 401, body: { error: 'invalid_client' } }),
    ],
  ])('failed, not an error, when the token has lapsed and the provider %s', async (what, message, misbehave) => {
    const name = `lapsed-${what.replaceAll(' ', '-')}`;
    await connect(broker, name, { changes: withTestUrl() });
    broker.clock.advance(dayMs);
    broker.server.tokens.reset();
    misbehave();
    const { status, json } = await test(name);
    expect(status).toBe(200);
    expect(json.test_result).toBe('failed');
    expect(json.message).toMatch(message);
    expect((await detail(broker, name)).last_test_at).toBe(json.tested_at);
  });

  it('failed when nobody has connected yet', async () => {
    await create(broker, 'unconnected', { changes: withTestUrl() });
    expect(await test('unconnected')).toMatchObject({ status: 200, json: { test_result: 'failed' } });
    expect((await detail(broker, 'unconnected')).status).toBe('not_connected');
  });

  it('tests a user’s grant, and nobody else’s', async () => {
    await create(broker, 'users', { changes: withTestUrl() });
    await signIn(broker, 'users', { userId: 'u1' });
    expect((await test('users', { user_id: 'u1' })).json.test_result).toBe('success');
    expect((await test('users', { user_id: 'u2' })).json.test_result).toBe('failed');
    expect((await test('users')).json.test_result).toBe('failed');
    expect((await detail(broker, 'users')).status).toBe('not_connected');
  });

  it('shows no token', async () => {
    await connect(broker, 'silent', { changes: withTestUrl() });
    const token = await accessToken(broker, 'silent');
    expect((await test('silent')).text).not.toContain(token);
    expect(broker.lines.join('')).not.toContain(token);
  });
});

describe('POST /oauth/connections/{connection_name}/test: GLOBAL', () => {
  it('tests a user’s grant in the caller’s organisation, and leaves the GLOBAL connection as it was', async () => {
    await create(broker, 'global-users', { org: 'GLOBAL', changes: withTestUrl() });
    const key = await broker.createKey(['ORG1'], ['operator']);
    await signIn(broker, 'global-users', { org: 'ORG1', userId: 'u1' });
    const before = await rowOf(broker, 'global-users', 'GLOBAL');
    expect((await test('global-users', { user_id: 'u1' }, { key })).json.test_result).toBe('success');
    expect(await rowOf(broker, 'global-users', 'GLOBAL')).toEqual(before);
  });

  it('403 organization_forbidden for the connection’s own grant by way of another organisation', async () => {
    await connect(broker, 'global-own', { org: 'GLOBAL', changes: withTestUrl() });
    expect(await test('global-own')).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    expect((await test('global-own', {}, { org: 'GLOBAL' })).json.test_result).toBe('success');
  });
});

describe('POST /oauth/connections/{connection_name}/test: refused', () => {
  it('503 vault_unavailable when our own vault does not answer: that says nothing about the connection', async () => {
    await broker.call('POST', path, { body: serviceBody(broker, 'no-vault') });
    broker.clock.advance(25 * 3_600_000);
    broker.vault.faults.outage();
    const refused = await test('no-vault');
    broker.vault.faults.clear();
    expect(refused).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
  });

  it('404 connection_not_found, for another organisation’s as well', async () => {
    await create(broker, 'theirs', { org: 'ORG2' });
    const key = await broker.createKey(['ORG1'], ['operator']);
    for (const name of ['theirs', 'never-made']) {
      expect(await test(name, {}, { key })).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    }
  });

  it.each<[unknown, string]>([
    [{ user_id: '' }, 'user_id'],
    [{ user_id: 'x'.repeat(257) }, 'user_id'],
    [{ user_id: 5 }, 'user_id'],
    [{ test_url: 'https://example.com' }, 'test_url'],
  ])('400 validation_failed for %j', async (body, at) => {
    expect(await test('good', body)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: at }] },
    });
  });

  it('takes no body for an empty one', async () => {
    await connect(broker, 'bare', { changes: withTestUrl() });
    expect((await broker.call('POST', `${path}/bare/test`)).json.test_result).toBe('success');
  });

  it.each(['reader', 'auditor'] as const)('403 role_required for the role %s alone', async (role) => {
    const refused = await test('good', {}, { key: await broker.createKey(['ORG1'], [role]) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
  });
});
