import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { bodyOf } from '../functions/support/every-route.ts';
import { create } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { startWatchedTables, type WatchedTables } from '../support/watched-tables.ts';
import { withoutAudit } from './support/answers.ts';

let tables: WatchedTables;
let broker: TestBroker;
let key: string;
beforeAll(async () => {
  tables = await startWatchedTables();
  broker = await startTestBroker({ settings: { OAuthStorage: tables.connectionString } });
  key = await broker.createKey(['ORG1'], ['admin', 'operator', 'reader', 'auditor']);
  for (const org of ['ORG1', 'ORG2', 'GLOBAL']) await connect(org);
});
afterAll(async () => {
  await broker.stop();
  await tables.stop();
});

async function connect(org: string): Promise<void> {
  await create(broker, 'crm', { org });
  for (const user_id of [null, 'alice']) {
    const body = { user_id, access_token: `at-${org}` };
    await broker.call('POST', '/api/oauth/connections/crm/tokens', { org, body });
  }
}

/** The partitions of each table that a caller of ORG1 may touch. What is no organisation's lies under fixed names. */
const partitions: Readonly<Record<string, RegExp>> = {
  OAuthConnections: /^(ORG1|GLOBAL)$/,
  OAuthUserGrants: /^ORG1\|(GLOBAL\|)?[\w-]+$/,
  OAuthTransactions: /^[0-9a-f]{2}$/,
  OAuthWorkflows: /^(w\|ORG1|c\|(ORG1|GLOBAL)\|[\w-]+)$/,
  OAuthRefreshDue: /^d\d+\|\d+$/,
  OAuthCallers: /^(keys|entra)$/,
  OAuthJobs: /^(refresh|rekey|reconcile)$/,
  OAuthAudit: /^(ORG1|GLOBAL)\|\d{6}$/,
};

/** What a request is bound to: one row, one partition, or (undefined) nothing. */
function boundTo(line: string): { readonly table: string; readonly partition: string | undefined } {
  const [, path = '', query = ''] = /^\w+ ([^?]*)\??(.*)$/.exec(line) ?? [];
  const name = decodeURIComponent(path).split('/').slice(2).join('/');
  const table = /(OAuth[A-Za-z]+)/.exec(name)?.[1] ?? name;
  const row = /\(PartitionKey='((?:[^']|'')*)',RowKey='(?:[^']|'')*'\)$/.exec(name);
  if (row !== null) return { table, partition: row[1] };
  const filter = new URLSearchParams(query).get('$filter') ?? '';
  // A condition on the partition that everything else is and-ed to.
  return { table, partition: /^\(*PartitionKey eq '((?:[^']|'')*)'\)*(?: and |$)/.exec(filter)?.[1] };
}

const withoutRows = /^POST .*(\$batch|OAuth[A-Za-z]+)(\?|$)/;

function offences(lines: readonly string[]): string[] {
  return withoutAudit(lines).filter((line) => {
    // An insert names its partition in its body, as every part of a batch does: neither reads anything.
    if (withoutRows.test(line)) return false;
    const { table, partition } = boundTo(line);
    return partition === undefined || !partitions[table]?.test(partition);
  });
}

const ofOrganisations = routeTable.filter(({ permission }) => permission.kind !== 'public');

describe('S-08 what an HTTP call asks of storage', () => {
  it.each(ofOrganisations.map((route) => [route.name, route] as const))(
    'is bound to partitions by %s',
    async (name, route) => {
      const path = `/api${route.path.replace('{connection_name}', 'crm').replace('{workflow_id}', 'sync').replace('{id}', 'f'.repeat(32))}`;
      const queries =
        name === 'connections-list' ? ['', '?search=c&limit=1', '?status=completed'] : ['', '?user_id=alice'];
      for (const query of queries) {
        const lines = await tables.during(() =>
          broker.call(route.method, `${path}${query}`, { key, org: 'ORG1', body: bodyOf(route) }),
        );
        expect(offences(lines)).toEqual([]);
      }
      if (name === 'connections-delete') await connect('ORG1');
    },
  );

  it('is something, and of other organisations nothing', async () => {
    const lines = await tables.during(async () => {
      for (const path of [
        'connections',
        'connections/crm',
        'connections/crm/grants',
        'credentials/crm?user_id=alice',
      ]) {
        await broker.call('GET', `/api/oauth/${path}`, { key, org: 'ORG1' });
      }
    });
    expect(lines.length).toBeGreaterThan(4);
    expect(lines.map(decodeURIComponent).join('\n')).not.toContain('ORG2');
    expect(
      offences([
        'GET /devstoreaccount1/tOAuthConnections()',
        "GET /devstoreaccount1/tOAuthConnections()?$filter=RowKey%20eq%20'crm'",
      ]),
    ).toHaveLength(2);
    expect(offences(["GET /devstoreaccount1/tOAuthConnections(PartitionKey='ORG2',RowKey='crm')"])).toHaveLength(1);
  });

  const hostile = [
    "x' or PartitionKey ne '",
    "x') or (PartitionKey ne '",
    "'",
    "''",
    '..',
    '../ORG2',
    'ORG2|crm',
    'crm?$filter=true',
    'crm#',
    'crm\u0000',
    'crm\n',
    'crm\u00a0',
    'ｃｒｍ',
    '*',
    '%2f',
    'x'.repeat(2048),
  ];
  const named = ofOrganisations.filter(({ path }) => path.includes('{'));

  it.each(named.map((route) => [route.name, route] as const))(
    'is nothing for ids of %s that are none',
    async (_name, route) => {
      for (const id of hostile) {
        const encoded = encodeURIComponent(id).replaceAll("'", '%27');
        const lines = await tables.during(async () => {
          const path = `/api${route.path.replace(/\{[^}]+\}/g, encoded)}`;
          const answer = await broker.call(route.method, path, { key, org: 'ORG1', body: bodyOf(route) });
          // The URL standard takes `..` for the folder above, and the host refuses NUL: neither is the route's then.
          expect([400, 404, 405], `${id} ${answer.text}`).toContain(answer.status);
          if (answer.status === 404) expect(answer.json.error).toBe('route_not_found');
        });
        expect(withoutAudit(lines), id).toEqual([]);
      }
    },
  );

  it.each(['continuation', 'search', 'status', 'provider'])(
    'stays in the partition whatever %s says',
    async (field) => {
      for (const text of [...hostile, Buffer.from('{"nextPartitionKey":"ORG2","nextRowKey":"a"}').toString('base64')]) {
        const lines = await tables.during(() =>
          broker.call('GET', `/api/oauth/connections?${field}=${encodeURIComponent(text)}`, { key, org: 'ORG1' }),
        );
        expect(offences(lines), text).toEqual([]);
      }
    },
  );

  it.each(['user_id'])('names a user by a hash, whatever the %s', async (field) => {
    for (const text of hostile.filter(({ length }) => length <= 256)) {
      const path = `/api/oauth/credentials/crm?${field}=${encodeURIComponent(text)}`;
      const lines = await tables.during(() => broker.call('GET', path, { key, org: 'ORG1' }));
      expect(offences(lines), text).toEqual([]);
      const users = lines.filter((line) => line.includes('OAuthUserGrants'));
      for (const line of users) expect(decodeURIComponent(line)).toMatch(/RowKey='[\w-]{43}'/);
    }
  });
});
