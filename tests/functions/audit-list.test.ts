import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { createConnection, credentialsOf } from './support/authorizing.ts';
import { createGranted } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

interface Shown {
  readonly action: string;
  readonly connection_name: string | null;
  readonly actor: { readonly id: string };
  readonly at: string;
}

/** Every record of all pages. */
async function allRecords(path: string, call: { org?: string; key?: string } = {}): Promise<Shown[]> {
  const records: Shown[] = [];
  let continuation: string | null = null;
  do {
    const more: string = continuation === null ? '' : `${path.includes('?') ? '&' : '?'}continuation=${continuation}`;
    const page = await broker.call('GET', `/api${path}${more}`, call);
    expect(page.status, page.text).toBe(200);
    expect(page.json.count).toBe(page.json.records.length);
    records.push(...page.json.records);
    continuation = page.json.continuation;
  } while (continuation !== null);
  return records;
}

describe('GET /oauth/audit', () => {
  it('shows the organisation’s own records only, newest first, over any number of pages', async () => {
    for (const org of ['ORG1', 'ORG2']) {
      for (let index = 0; index < 5; index += 1) await createConnection(broker, `c${index}`, {}, { org });
    }
    const auditor = await broker.createKey(['ORG2'], ['auditor']);
    const shown = await allRecords('/oauth/audit?limit=2&action=connection.create', { org: 'ORG2', key: auditor });
    expect(shown.map(({ connection_name }) => connection_name)).toEqual(['c4', 'c3', 'c2', 'c1', 'c0']);
    expect(shown.map(({ at }) => at)).toEqual(
      shown
        .map(({ at }) => at)
        .toSorted()
        .toReversed(),
    );
    expect((await allRecords('/oauth/audit?action=connection.create')).length).toBe(5);
  });

  it('finds by connection, caller, action and time', async () => {
    const key = await broker.createKey(['ORG3'], ['admin', 'reader']);
    const id = key.split('_')[1] ?? '';
    await createConnection(broker, 'mine', {}, { org: 'ORG3', key });
    await createConnection(broker, 'other', {}, { org: 'ORG3' });
    const ask = (query: string) => allRecords(`/oauth/audit?${query}`, { org: 'ORG3' });
    expect(await ask('connection=mine')).toMatchObject([{ connection_name: 'mine', actor: { id } }]);
    expect(await ask(`caller=${id}`)).toMatchObject([{ connection_name: 'mine' }]);
    expect(await ask('action=connection.delete')).toEqual([]);
    expect(await ask('from=2020-01-01T00:00:00Z&to=2020-02-01T00:00:00Z')).toEqual([]);
    const hour = (away: number) => encodeURIComponent(new Date(broker.clock.now() + away * 3_600_000).toISOString());
    expect(await ask(`from=${hour(-1)}&to=${hour(1)}`)).toHaveLength(2);
  });

  it('shows what strangers tried to platform callers alone', async () => {
    await broker.call('GET', '/api/oauth/me', { key: null });
    const shown = await allRecords('/oauth/audit?unknown_org=true', { org: 'GLOBAL' });
    expect(shown).toContainEqual(expect.objectContaining({ action: 'access.refused', outcome: 'unauthenticated' }));
    const key = await broker.createKey(['ORG1'], ['auditor']);
    const refused = await broker.call('GET', '/api/oauth/audit?unknown_org=true', { key });
    expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
  });

  it.each([
    'from=yesterday',
    'limit=1000',
    'action=other',
    'connection=a.b',
    'continuation=x',
    'continuation=202601.zz',
  ])('400 validation_failed: %s', async (query) => {
    const answer = await broker.call('GET', `/api/oauth/audit?${query}`);
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('does not take a continuation to another organisation', async () => {
    const page = await broker.call('GET', '/api/oauth/audit?limit=1', { org: 'ORG1' });
    const key = await broker.createKey(['ORG9'], ['auditor']);
    const other = await broker.call('GET', `/api/oauth/audit?continuation=${page.json.continuation}`, {
      key,
      org: 'ORG9',
    });
    expect(other.text).not.toContain('c0');
    expect(other.json.records ?? []).toEqual([]);
  });
});

describe('GET /oauth/connections/{connection_name}/events', () => {
  it('tells the history of a connection that was deleted', async () => {
    await createConnection(broker, 'gone');
    await broker.call('DELETE', '/api/oauth/connections/gone');
    const shown = await allRecords('/oauth/connections/gone/events');
    expect(shown.map(({ action }) => action)).toEqual(['connection.delete', 'connection.create']);
  });

  it('of a GLOBAL connection tells each organisation only what it did itself', async () => {
    await createGranted(broker, 'shared', {}, { org: 'GLOBAL' }, { shared_with: ['*'] });
    await credentialsOf(broker, 'shared', '', { org: 'ORG1' });
    await credentialsOf(broker, 'shared', '', { org: 'ORG2' });
    for (const org of ['ORG1', 'ORG2']) {
      const shown = await allRecords('/oauth/connections/shared/events', { org });
      expect(shown.map(({ action }) => action)).toEqual(['credential.read']);
    }
    const all = await allRecords('/oauth/connections/shared/events', { org: 'GLOBAL' });
    expect(all.map(({ action }) => action)).toContain('connection.create');
  });
});
