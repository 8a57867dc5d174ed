import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { rowsOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';
import { credentialsOf } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createRefreshing, tokenAnswer } from './support/granted.ts';

let tables: WatchedTables;
let broker: TestBroker;
let provider: Endpoint;
beforeAll(async () => {
  [tables, provider] = await Promise.all([startWatchedTables(), startEndpoint()]);
  broker = await startTestBroker({ settings: { OAuthStorage: tables.connectionString } });
});
afterAll(async () => {
  await Promise.all([broker.stop(), provider.stop()]);
  await tables.stop();
});

const remove = (name: string) => broker.call('DELETE', `/api/oauth/connections/${name}`);
const revoked = () => provider.requests.filter((request) => request.startsWith('/revoke')).join('\n');

async function createWithUser(name: string) {
  const endpoints = { token_url: `${provider.url}/token`, revocation_url: `${provider.url}/revoke` };
  await createRefreshing(broker, name, endpoints);
  const { access_token, refresh_token } = tokenAnswer();
  const body = { access_token, refresh_token, expires_at: '2036-01-01T00:00:00Z', user_id: 'ann' };
  expect((await broker.call('POST', `/api/oauth/connections/${name}/tokens`, { body })).status).toBe(200);
  return { access_token, refresh_token };
}

it('revokes the tokens of a user that were rotated while the connection was being deleted', async () => {
  const before = await createWithUser('rotated');
  const after = tokenAnswer();
  const provided = provider.hold('/token');
  provider.answer('/token', { status: 200, body: after });
  const rotation = credentialsOf(broker, 'rotated', '?user_id=ann&force_refresh=true');
  await vi.waitFor(() => expect(provider.requests.join()).toContain(before.refresh_token));
  const erasure = tables.hold(/^DELETE .*OAuthUserGrants/);
  const deletion = remove('rotated');
  await erasure.waiting();
  provided.release();
  await rotation;
  erasure.release();
  expect((await deletion).status).toBe(200);
  expect(await rowsOf(broker, 'OAuthUserGrants')).toEqual([]);
  expect(revoked()).toContain(after.refresh_token);
  expect(revoked()).not.toContain(before.refresh_token);
});

it('reads each user’s grant once for it', async () => {
  const { refresh_token } = await createWithUser('once');
  const requests = await tables.during(() => remove('once'));
  expect(revoked()).toContain(refresh_token);
  const ofAnn = requests.filter((line) => /OAuthUserGrants\(P/.test(line)).map((line) => line.split(' ')[0]);
  expect(ofAnn).toEqual(['GET', 'DELETE']);
});
