import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';
import { credentialsOf } from './support/authorizing.ts';
import { answerNext, createGranted } from './support/granted.ts';

let tables: WatchedTables;
let broker: TestBroker;
beforeAll(async () => {
  tables = await startWatchedTables();
  const settings = { OAuthStorage: tables.connectionString, CREDENTIAL_CACHE_SECONDS: '5' };
  broker = await startTestBroker({ settings });
});
afterAll(async () => {
  await broker.stop();
  await tables.stop();
});

const seconds = (count: number) => broker.clock.advance(count * 1000);

describe('CREDENTIAL_CACHE_SECONDS=5', () => {
  it('reads no table for the second read, and reads again after five seconds', async () => {
    const { access_token } = await createGranted(broker, 'cached');
    await credentialsOf(broker, 'cached');
    const second = await tables.during(async () => {
      expect((await credentialsOf(broker, 'cached')).json.access_token).toBe(access_token);
    });
    expect(second).toEqual([]);
    seconds(5);
    const third = await tables.during(() => credentialsOf(broker, 'cached'));
    expect(third.filter((line) => line.startsWith('GET'))).toHaveLength(1);
  });

  it('never serves a cached token below its promised life', async () => {
    await createGranted(broker, 'waning', { expires_in: 120 });
    seconds(58);
    await credentialsOf(broker, 'waning');
    seconds(4);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'waning')).json.access_token).toBe(next.access_token);
  });

  it('keeps callers’ roles and organisations in front of the cache (I6)', async () => {
    await createGranted(broker, 'guarded');
    await credentialsOf(broker, 'guarded');
    const admin = await broker.createKey(['ORG1'], ['admin']);
    const reader = await broker.createKey(['ORG2'], ['reader']);
    expect((await credentialsOf(broker, 'guarded', '', { key: admin })).status).toBe(403);
    expect((await credentialsOf(broker, 'guarded', '', { key: reader })).status).toBe(403);
    expect((await credentialsOf(broker, 'guarded', '', { key: reader, org: 'ORG2' })).status).toBe(404);
  });

  it.each([
    ['disconnect', 'POST', '/disconnect', {}, 503],
    ['deletion', 'DELETE', '', undefined, 404],
    ['a change of endpoints', 'PUT', '', { scopes: 'other' }, 503],
  ])('forgets at once in this process after %s (S-11)', async (what, method, suffix, body, status) => {
    const name = `forgotten-${what.replace(/\W/g, '-')}`;
    await createGranted(broker, name);
    expect((await credentialsOf(broker, name)).status).toBe(200);
    const changed = await broker.call(method, `/api/oauth/connections/${name}${suffix}`, { body });
    expect(changed.status, changed.text).toBe(200);
    expect((await credentialsOf(broker, name)).status).toBe(status);
  });

  it('forgets after an import and after a refresh by an operator', async () => {
    await createGranted(broker, 'replaced');
    const next = answerNext(broker);
    await broker.call('POST', '/api/oauth/connections/replaced/refresh', { body: {} });
    expect((await credentialsOf(broker, 'replaced')).json.access_token).toBe(next.access_token);
    await broker.call('POST', '/api/oauth/connections/replaced/tokens', { body: { access_token: 'imported-1' } });
    expect((await credentialsOf(broker, 'replaced')).json.access_token).toBe('imported-1');
  });

  it('gives an organisation its own connection as soon as it is created, in place of GLOBAL’s', async () => {
    await createGranted(broker, 'shadowed', {}, { org: 'GLOBAL' });
    expect((await credentialsOf(broker, 'shadowed')).json.org_id).toBe('GLOBAL');
    const own = await createGranted(broker, 'shadowed');
    expect((await credentialsOf(broker, 'shadowed')).json.access_token).toBe(own.access_token);
  });

  it('takes credentials from a disabled workflow at once', async () => {
    await createGranted(broker, 'switched');
    const headers = { 'x-workflow-id': 'w-1' };
    expect((await credentialsOf(broker, 'switched', '', { headers })).status).toBe(200);
    await broker.call('POST', '/api/oauth/workflows/w-1/disable', { body: {} });
    expect((await credentialsOf(broker, 'switched', '', { headers })).json.error).toBe('workflow_disabled');
  });
});
