import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';
import { connect, createConnection, credentialsOf, detailOf } from './support/authorizing.ts';
import { entriesOf, timesOf } from './support/due-entries.ts';
import { answerNext, createGranted, createRefreshing, failNext } from './support/granted.ts';

let tables: WatchedTables;
let broker: TestBroker;
beforeAll(async () => {
  tables = await startWatchedTables();
  broker = await startTestBroker({ settings: { OAuthStorage: tables.connectionString } });
});
afterEach(() => tables.refuse(null));
afterAll(async () => {
  await broker.stop();
  await tables.stop();
});

const hours = (count: number) => broker.clock.advance(count * 3_600_000);
const nextRefresh = async (name: string) => Date.parse((await detailOf(broker, name)).json.next_refresh_at);
const refresh = (name: string) => broker.call('POST', `/api/oauth/connections/${name}/refresh`, { body: {} });

describe('the due index', () => {
  it('holds one entry after a sign-in, at next_refresh_at', async () => {
    await createConnection(broker, 'signed-in');
    expect(await timesOf(broker, 'signed-in')).toEqual([]);
    await connect(broker, 'signed-in');
    const [at, ...others] = await timesOf(broker, 'signed-in');
    expect(others).toEqual([]);
    expect(at).toBeGreaterThan(broker.clock.now());
    expect(at).toBe(await nextRefresh('signed-in'));
  });

  it('holds one entry for a user who signed in, and none for the organisation, which did not', async () => {
    await createConnection(broker, 'people');
    await connect(broker, 'people', { body: { user_id: 'ann' } });
    expect(await timesOf(broker, 'people', 'ann')).toHaveLength(1);
    expect(await timesOf(broker, 'people')).toEqual([]);
  });

  it('moves the entry when the grant is refreshed: the new one is in and the old one out', async () => {
    await createGranted(broker, 'moved', { expires_in: 4 * 3600 });
    const before = await timesOf(broker, 'moved');
    expect(before).toHaveLength(1);
    answerNext(broker, { expires_in: 8 * 3600 });
    expect((await refresh('moved')).status).toBe(200);
    const after = await timesOf(broker, 'moved');
    expect(after).toEqual([await nextRefresh('moved')]);
    expect(after).not.toEqual(before);
  });

  it('moves the entry of a failing grant to its next try', async () => {
    await createGranted(broker, 'failing', { expires_in: 4 * 3600 });
    hours(3.9);
    failNext(broker, 503, 'temporarily_unavailable', { headers: { 'retry-after': '1800' } });
    expect((await refresh('failing')).status).toBe(503);
    const [at, ...others] = await timesOf(broker, 'failing');
    expect(others).toEqual([]);
    expect(at).toBeGreaterThan(broker.clock.now() + 29 * 60_000);
  });

  it('holds none of a grant that died', async () => {
    await createGranted(broker, 'dead', { expires_in: 4 * 3600 });
    failNext(broker, 400, 'invalid_grant');
    await refresh('dead');
    expect(await timesOf(broker, 'dead')).toEqual([]);
  });

  it.each([
    ['disconnect', 'POST', '/disconnect', {}],
    ['deletion', 'DELETE', '', undefined],
    ['a change of endpoints', 'PUT', '', { scopes: 'other' }],
  ])('holds none after %s', async (what, method, suffix, body) => {
    const name = `none-${what.replace(/\W/g, '-')}`;
    await createGranted(broker, name, { expires_in: 4 * 3600 });
    expect(await timesOf(broker, name)).toHaveLength(1);
    const changed = await broker.call(method, `/api/oauth/connections/${name}${suffix}`, { body });
    expect(changed.status, changed.text).toBe(200);
    expect(await timesOf(broker, name)).toEqual([]);
  });

  it('holds none of a user after disconnect, and none of the users of a connection that was deleted', async () => {
    await createConnection(broker, 'team');
    for (const user_id of ['ann', 'bob']) await connect(broker, 'team', { body: { user_id } });
    await broker.call('POST', '/api/oauth/connections/team/disconnect', { body: { user_id: 'ann' } });
    expect(await timesOf(broker, 'team', 'ann')).toEqual([]);
    expect(await timesOf(broker, 'team', 'bob')).toHaveLength(1);
    await broker.call('DELETE', '/api/oauth/connections/team');
    expect(await timesOf(broker, 'team', 'bob')).toEqual([]);
  });
});

describe('an index that does not answer', () => {
  it('fails no caller, and is mended by the next round of the reconcile', async () => {
    await createGranted(broker, 'kept', { expires_in: 4 * 3600 });
    await createGranted(broker, 'left', { expires_in: 4 * 3600 });
    const before = await timesOf(broker, 'kept');
    tables.refuse(/OAuthRefreshDue/);
    answerNext(broker, { expires_in: 8 * 3600 });
    expect((await refresh('kept')).status).toBe(200);
    expect((await credentialsOf(broker, 'kept')).status).toBe(200);
    const left = await broker.call('POST', '/api/oauth/connections/left/disconnect', { body: {} });
    expect(left.status).toBe(200);
    tables.refuse(null);
    expect(broker.lines.filter((line) => line.includes('due_index_behind'))).toHaveLength(2);
    expect(await timesOf(broker, 'kept')).toEqual(before);
    expect(await timesOf(broker, 'left')).toHaveLength(1);
    hours(2);
    await broker.host.runTimer('refreshReconcile');
    expect(await timesOf(broker, 'kept')).toEqual([await nextRefresh('kept')]);
    expect(await timesOf(broker, 'left')).toEqual([]);
    const line = broker.lines.map((text) => JSON.parse(text)).find(({ event }) => event === 'reconcile_worked');
    expect(line).toMatchObject({ level: 'info', state: 'ended', inserted: 1, removed: 2 });
  });
});

describe('the hint that a refused insert leaves', () => {
  it('leads the next sweep to the grant, which gets its entry then, without waiting for the reconcile', async () => {
    await createGranted(broker, 'hinted', { expires_in: 4 * 3600 });
    hours(3.5);
    const before = await timesOf(broker, 'hinted');
    tables.refuse(/POST .*OAuthRefreshDue/);
    answerNext(broker, { expires_in: 8 * 3600 });
    expect((await refresh('hinted')).status).toBe(200);
    tables.refuse(null);
    expect(await timesOf(broker, 'hinted')).toEqual(before);
    hours(0.5);
    const calls = broker.server.tokens.count();
    const { startSweep, workBatch } = broker.composition.broker;
    const { batches } = await startSweep({ trigger: 'automatic', org: null });
    const ofHinted = batches.map((batch) => ({
      ...batch,
      grants: batch.grants.filter(({ key }) => key.connection === 'hinted'),
    }));
    const counts = await Promise.all(ofHinted.map(workBatch));
    expect(counts.reduce((sum, { skipped }) => sum + skipped, 0)).toBe(1);
    expect(broker.server.tokens.count()).toBe(calls);
    expect(await timesOf(broker, 'hinted')).toEqual([await nextRefresh('hinted')]);
  });
});

describe('a refresh token', () => {
  it('without an access token is due at once, and a provider that is down meets it again', async () => {
    await createRefreshing(broker, 'configured');
    expect(await timesOf(broker, 'configured')).toEqual([await nextRefresh('configured')]);
    expect(await nextRefresh('configured')).toBeLessThanOrEqual(broker.clock.now());
    await createGranted(broker, 'imported', { expires_in: 4 * 3600 });
    failNext(broker, 503, 'temporarily_unavailable');
    const body = { refresh_token: 'rt-imported-alone' };
    const imported = await broker.call('POST', '/api/oauth/connections/imported/tokens', { body });
    expect(imported.json).toMatchObject({ refreshed: false });
    const [at, ...others] = await timesOf(broker, 'imported');
    expect(others).toEqual([]);
    expect(at).toBe(await nextRefresh('imported'));
    expect(at).toBeLessThan(broker.clock.now() + 120_000);
  });

  it('of a provider that states no end is kept alive once a day', async () => {
    await createGranted(broker, 'endless', { expires_in: undefined });
    const [at, ...others] = await timesOf(broker, 'endless');
    expect(others).toEqual([]);
    const inADay = broker.clock.now() + 24 * 3_600_000;
    expect(at).toBeLessThanOrEqual(inADay);
    expect(at).toBeGreaterThan(inADay - 60_000);
  });
});

describe('an automatic sweep', () => {
  it('finds what is due without a request for connections or users’ grants', async () => {
    await createGranted(broker, 'found', { expires_in: 4 * 3600 });
    hours(3.8);
    let due = 0;
    const requests = await tables.during(async () => {
      const { batches } = await broker.composition.broker.startSweep({ trigger: 'automatic', org: null });
      due = batches.flatMap(({ grants }) => grants).filter(({ key }) => key.connection === 'found').length;
    });
    expect(due).toBe(1);
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.filter((line) => /OAuthConnections|OAuthUserGrants/.test(line))).toEqual([]);
    expect((await entriesOf(broker)).length).toBeGreaterThan(1);
  });
});
