import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { bodyOf, pathOf } from '../functions/support/every-route.ts';
import { createGranted } from '../functions/support/granted.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';

let tables: WatchedTables;
let broker: TestBroker;
let token: string;
beforeAll(async () => {
  tables = await startWatchedTables();
  broker = await startTestBroker({ settings: { OAuthStorage: tables.connectionString } });
  token = (await createGranted(broker, 'crm', { expires_in: 3600 })).access_token;
  // Known to this process, as a caller is who called a moment ago.
  await broker.call('GET', '/api/oauth/me');
});
afterEach(() => {
  tables.refuse(null);
  broker.vault.faults.clear();
});
afterAll(async () => {
  await broker.stop();
  await tables.stop();
});

/** What needs no storage: it is alive, and its pages are. */
const without = ['health', 'openapi-json', 'docs', 'me', 'callback-post', 'providers-list', 'providers-get'];
/** For platform callers of GLOBAL. */
const ofPlatform = ['rekey', 'rekey-job-status'];
const asking = routeTable.filter(({ name }) => !without.includes(name));

const ask = (route: (typeof routeTable)[number], key?: null) => {
  const path = route.name === 'callback-get' ? `${pathOf(route.path)}?state=${'s'.repeat(43)}` : pathOf(route.path);
  return broker.call(route.method, path, {
    body: bodyOf(route),
    ...(key === null && { key }),
    ...(ofPlatform.includes(route.name) && { org: null }),
  });
};

describe('S-60 while storage is down', () => {
  it('every route opens to nobody, and says when to come again', async () => {
    tables.refuse(/./);
    const ours = await Promise.all(asking.map(async (route) => ({ route, answer: await ask(route) })));
    for (const { route, answer } of ours) {
      // What the request itself says wrong is found before storage is asked.
      expect([400, 503], `${route.name}: ${answer.text}`).toContain(answer.status);
      expect(answer.text).not.toContain(token);
      if (answer.status !== 503 || route.name === 'health-ready') continue;
      expect(Number(answer.headers.get('retry-after')), `${route.name}: ${answer.text}`).toBeGreaterThanOrEqual(1);
    }
    expect(ours.filter(({ answer }) => answer.status === 503).length).toBeGreaterThan(20);
    const strangers = asking.filter(({ permission }) => permission.kind !== 'public').map((route) => ask(route, null));
    expect(new Set((await Promise.all(strangers)).map(({ status }) => status))).toEqual(new Set([401]));
  });

  it('an unknown key is not let in, and neither is it called wrong', async () => {
    tables.refuse(/./);
    const key = `bwl_${'0'.repeat(32)}_${'A'.repeat(43)}`;
    const answer = await broker.call('GET', '/api/oauth/connections', { key });
    expect(answer.status).toBe(503);
  });

  it('the process stays alive, and serves at once when storage is back', async () => {
    tables.refuse(/./);
    expect((await broker.call('GET', '/api/oauth/credentials/crm')).status).toBe(503);
    expect((await broker.call('GET', '/api/health', { key: null })).status).toBe(200);
    tables.refuse(null);
    const answer = await broker.call('GET', '/api/oauth/credentials/crm');
    expect(answer).toMatchObject({ status: 200, json: { access_token: token } });
  });
});

describe('S-60 while the vault is down', () => {
  it('what needs a secret is 503, what needs none is served, and all of it is back with the vault', async () => {
    const body = broker.connectionBody('waits', { oauth_flow_type: 'client_credentials', authorization_url: null });
    broker.vault.faults.outage();
    const refused = await broker.call('POST', '/api/oauth/connections', { body });
    expect(refused).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await broker.call('GET', '/api/oauth/credentials/crm')).json.access_token).toBe(token);
    broker.vault.faults.clear();
    expect((await broker.call('POST', '/api/oauth/connections', { body })).status).toBe(201);
  });
});
