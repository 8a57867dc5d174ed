import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';

let broker: TestBroker;
let endpoint: Endpoint;
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
  endpoint.answer('/token', { status: 200, body: { access_token: 'at-1', refresh_token: 'rt-1', expires_in: 3600 } });
});
afterAll(() => Promise.all([broker.stop(), endpoint.stop()]));

const body = (name: string, changes: Readonly<Record<string, unknown>> = {}) => ({
  connection_name: name,
  oauth_flow_type: 'account_credentials',
  client_id: 'app',
  client_secret: 'app-secret',
  client_auth: 'client_secret_post',
  token_url: `${endpoint.url}/token`,
  extra_token_params: { account_id: 'acc-1' },
  ...changes,
});
const forms = () => endpoint.requests.map((text) => Object.fromEntries(new URLSearchParams(text.split(' ')[1])));

it('gets a token with the account alone, again when it has lapsed, and keeps no refresh token', async () => {
  const created = await broker.call('POST', '/api/oauth/connections', { body: body('account') });
  expect(created.status, created.text).toBe(201);
  expect((await credentialsOf(broker, 'account')).json).toMatchObject({
    access_token: 'at-1',
    method: 'account_credentials',
  });
  expect(forms()).toEqual([
    { grant_type: 'account_credentials', account_id: 'acc-1', client_id: 'app', client_secret: 'app-secret' },
  ]);
  const detail = await broker.call('GET', '/api/oauth/connections/account');
  expect(detail.json).toMatchObject({ status: 'completed', has_refresh_token: false, redirect_uri: null });
  broker.clock.advance(3600_000);
  expect((await credentialsOf(broker, 'account')).json.method).toBe('account_credentials');
  expect(endpoint.requests).toHaveLength(2);
});

it('stays alive when the provider refuses the grant: somebody corrects the request, and nobody signs in', async () => {
  await broker.call('POST', '/api/oauth/connections', { body: body('refused') });
  endpoint.answer('/token', { status: 400, body: { error: 'invalid_grant' } });
  const refused = await credentialsOf(broker, 'refused');
  expect(refused.status).toBe(503);
  expect(refused.json).toMatchObject({ status_reason: 'provider_rejected_request', authorize: null });
});

it.each([
  [{ client_auth: 'none', client_secret: null }, 'client_auth', 'must not be none for account_credentials'],
  [{ client_secret: null }, 'client_secret', 'is needed for client_auth client_secret_post'],
])('is refused with %o', async (changes, path, message) => {
  const refused = await broker.call('POST', '/api/oauth/connections', { body: body('bad', changes) });
  expect(refused.json.details).toEqual([{ path, message }]);
});

it('has nobody to authorize it, and takes no tokens from elsewhere', async () => {
  const begun = await broker.call('POST', '/api/oauth/connections/account/authorize', { body: {} });
  expect([begun.status, begun.json.error]).toEqual([400, 'authorization_not_applicable']);
  const imported = await broker.call('POST', '/api/oauth/connections/account/tokens', { body: { access_token: 'a' } });
  expect(imported.status).toBe(400);
});
