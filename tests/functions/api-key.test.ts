import { afterAll, beforeAll, expect, it } from 'vitest';
import { detail } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';

let broker: TestBroker;
let endpoint: Endpoint;
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
});
afterAll(() => Promise.all([broker.stop(), endpoint.stop()]));

const create = (name: string, changes: Readonly<Record<string, unknown>> = {}) =>
  broker.call('POST', '/api/oauth/connections', {
    body: { connection_name: name, oauth_flow_type: 'api_key', api_key: `key-of-${name}`, ...changes },
  });
const update = (name: string, body: unknown) => broker.call('PUT', `/api/oauth/connections/${name}`, { body });

it('serves the key at once, for ever, and shows it nowhere else', async () => {
  const created = await create('maps');
  expect(created.status, created.text).toBe(201);
  expect(created.json).toMatchObject({ status: 'completed', client_id: '', client_auth: 'none', expires_at: null });
  expect(created.text).not.toContain('key-of-maps');
  broker.clock.advance(400 * 24 * 3600 * 1000);
  for (const query of ['', '?force_refresh=true', '?min_ttl_seconds=86400']) {
    const served = await credentialsOf(broker, 'maps', query);
    expect(served.json, query).toMatchObject({
      access_token: 'key-of-maps',
      token_type: 'ApiKey',
      method: 'api_key',
      expires_at: null,
    });
  }
  expect(JSON.stringify(await detail(broker, 'maps'))).not.toContain('key-of-maps');
  expect(broker.lines.join()).not.toContain('key-of-maps');
});

it('takes another key, and its labels change without one', async () => {
  await create('changed');
  expect((await update('changed', { description: 'new', tags: ['a'] })).status).toBe(200);
  expect((await credentialsOf(broker, 'changed')).json.access_token).toBe('key-of-changed');
  expect((await update('changed', { api_key: 'second' })).json.status).toBe('completed');
  expect((await credentialsOf(broker, 'changed')).json.access_token).toBe('second');
});

it('wants the key again before it goes to another address', async () => {
  await create('moved', { test_url: `${endpoint.url}/a` });
  const refused = await update('moved', { test_url: `${endpoint.url}/b` });
  expect(refused.status).toBe(400);
  expect(refused.json.details).toEqual([
    { path: 'api_key', message: 'must be given again when an address or a parameter changes' },
  ]);
  expect((await update('moved', { test_url: `${endpoint.url}/b`, api_key: 'again' })).status).toBe(200);
  expect((await credentialsOf(broker, 'moved')).json.access_token).toBe('again');
});

it('is gone after a disconnect, and says what to do', async () => {
  await create('cut');
  await broker.call('POST', '/api/oauth/connections/cut/disconnect', { body: {} });
  const answer = await credentialsOf(broker, 'cut');
  expect(answer.status).toBe(503);
  expect(answer.json.message).toMatch('This connection has no key: set api_key.');
  await update('cut', { api_key: 'back' });
  expect((await credentialsOf(broker, 'cut')).json.access_token).toBe('back');
});

it('is of the organisation: a user has none', async () => {
  await create('ours');
  expect((await credentialsOf(broker, 'ours', '?user_id=ann')).status).toBe(503);
});

it.each<[string, Readonly<Record<string, unknown>>, string, string]>([
  ['no key', { api_key: null }, 'api_key', 'is needed for api_key'],
  ['a key that would break a header', { api_key: 'a\nb' }, 'api_key', 'must be printable ASCII'],
  ['a first token to get', { query: '?connect=true' }, 'connect', 'is for flows that get a token by themselves'],
])('is refused with %s', async (_title, { query = '', ...changes }, path, message) => {
  const refused = await broker.call('POST', `/api/oauth/connections${query}`, {
    body: { connection_name: 'bad', oauth_flow_type: 'api_key', api_key: 'k', ...changes },
  });
  expect(refused.status).toBe(400);
  expect(refused.json.details).toEqual([{ path, message }]);
});

it('other flows take no key, and need a client', async () => {
  const body = { connection_name: 'bad', oauth_flow_type: 'client_credentials', token_url: `${endpoint.url}/t` };
  const keyed = await broker.call('POST', '/api/oauth/connections', {
    body: { ...body, client_id: 'a', client_secret: 's', api_key: 'k' },
  });
  expect(keyed.json.details).toEqual([{ path: 'api_key', message: 'is for oauth_flow_type api_key' }]);
  const nobody = await broker.call('POST', '/api/oauth/connections', { body: { ...body, client_secret: 's' } });
  expect(nobody.json.details).toEqual([{ path: 'client_id', message: 'is needed for client_credentials' }]);
  const imported = await broker.call('POST', '/api/oauth/connections/maps/tokens', { body: { access_token: 'a' } });
  expect(imported.status).toBe(400);
});
