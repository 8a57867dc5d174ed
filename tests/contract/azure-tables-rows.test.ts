import { assert, beforeAll, describe, expect, it } from 'vitest';
import type { GrantKey } from '../../src/domain/grant.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createTablesHarness, type RawTable, type TablesHarness } from '../support/tables-harness.ts';
import {
  acme,
  globex,
  ownKey,
  refreshed,
  revealed,
  sampleConnection,
  sampleGrant,
  sampleTokens,
  userKey,
} from '../support/tables-samples.ts';
import { claimed, connected } from './grant-lease.contract.ts';
import { sampleTransaction } from './small-stores.contract.ts';

interface RawRow {
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly [column: string]: unknown;
}

async function rowsOf(harness: TablesHarness, table: RawTable): Promise<RawRow[]> {
  const rows: RawRow[] = [];
  for await (const row of harness.raw(table).listEntities<RawRow>()) rows.push(row as RawRow);
  return rows;
}

const sealedOf = (row: RawRow | undefined) =>
  Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => name.startsWith('sealed_')));

describe('the rows of the tables', () => {
  let harness: TablesHarness;
  const malformed: string[] = [];
  beforeAll(async () => {
    harness = await createTablesHarness({
      onMalformedRow: (row) => void malformed.push(`${row.rowKey}: ${row.problem}`),
    });
  });

  it('show nothing of tokens, verifiers and addresses in any cell, in any spelling (S-41)', async () => {
    const { stores } = harness;
    const mark = 'CANARY-7f3a9c';
    const tokens = sampleTokens(mark, { account: `${mark}-account`, metadata: { note: mark } });
    const connection = sampleConnection('canary');
    await stores.connections.create(connection, sampleGrant(), tokens);
    await stores.grants.update(userKey(connection, 'ann'), () => ({ grant: sampleGrant(), tokens }));
    const transaction = sampleTransaction('a');
    await stores.transactions.create({
      ...transaction,
      codeVerifier: new Secret(mark),
      nonce: new Secret(mark),
      authorizationUrl: `https://login.example.com/?code_challenge=${mark}`,
    });

    const tables = ['OAuthConnections', 'OAuthUserGrants', 'OAuthTransactions'] as const;
    const rows = (await Promise.all(tables.map((table) => rowsOf(harness, table)))).flat();
    expect(rows).toHaveLength(3);
    const cells = rows.flatMap((row) =>
      Object.values(row).map((cell) =>
        cell instanceof Uint8Array ? Buffer.from(cell).toString('latin1') : String(cell),
      ),
    );
    const bytes = Buffer.from(mark);
    const spellings = [
      mark,
      bytes.toString('hex'),
      bytes.toString('utf16le'),
      ...[0, 1, 2].map((shift) =>
        Buffer.concat([Buffer.alloc(shift), bytes])
          .toString('base64')
          .slice(4, -4),
      ),
    ];
    for (const spelling of spellings) expect(cells.filter((cell) => cell.includes(spelling))).toEqual([]);
  });

  it('keep the columns that a newer version wrote', async () => {
    const { stores, raw } = harness;
    const stored = await connected(stores, 'newer');
    const place = { partitionKey: 'acme', rowKey: 'newer' };
    await raw('OAuthConnections').updateEntity({ ...place, shape_of_things: 'to come', count: 7n }, 'Merge');
    await stores.connections.update(sampleConnection('newer'), ({ connection }) => ({ connection }));
    const claim = await claimed(stores.grants, stored);
    await stores.grants.commit(claim, refreshed(claim.stored, 'two'));
    await stores.grants.touch((await stores.grants.read(stored.key)) ?? stored, Date.now());
    const row = await raw('OAuthConnections').getEntity('acme', 'newer');
    expect(row).toMatchObject({ shape_of_things: 'to come', count: 7n });
  });

  it('of an older version, without a column that we know, are read', async () => {
    const { stores, raw } = harness;
    await connected(stores, 'older');
    const table = raw('OAuthConnections');
    const { description, write_ids, earlier_attempts, pending, ...older } = await table.getEntity('acme', 'older');
    expect([description, write_ids, earlier_attempts, pending].every((column) => column !== undefined)).toBe(true);
    await table.updateEntity({ ...older, partitionKey: 'acme', rowKey: 'older' }, 'Replace');
    const stored = await stores.connections.get(sampleConnection('older'));
    expect(stored).toMatchObject({ connection: { config: { description: null } }, own: { grant: { pending: null } } });
    assert(stored !== undefined);
    await claimed(stores.grants, stored.own);
  });

  it('that make no sense are reported, and block neither a list nor a sweep', async () => {
    const { stores, raw } = harness;
    const names = ['sense-1', 'sense-2', 'sense-3'];
    for (const name of names) await stores.connections.create(sampleConnection(name, globex), sampleGrant(), null);
    const place = { partitionKey: 'globex', rowKey: 'sense-2' };
    await raw('OAuthConnections').updateEntity({ ...place, tags: 'not JSON' }, 'Merge');
    const { items } = await stores.connections.list(globex, { limit: 10, continuation: null });
    expect(items.map(({ connection }) => connection.name)).toEqual(['sense-1', 'sense-3']);
    expect(malformed).toEqual(['sense-2: column tags is not JSON']);
    await expect(stores.connections.get(sampleConnection('sense-2', globex))).rejects.toMatchObject({
      code: 'internal_error',
      detail: expect.stringContaining('globex sense-2: column tags is not JSON'),
    });
  });

  it('are asked for without sealed columns by every list', async () => {
    const seen: string[] = [];
    const spy = harness.another({
      policies: [
        {
          name: 'spy',
          sendRequest(request, next) {
            seen.push(decodeURIComponent(request.url));
            return next(request);
          },
        },
      ],
    });
    await spy.connections.list(acme, { limit: 10, continuation: null });
    await spy.grants.listUsers(sampleConnection('canary'), acme, { limit: 10, continuation: null });
    for await (const _page of spy.connections.walkOwn(null));
    for await (const _page of spy.grants.walkUsers(null));
    expect(seen).toHaveLength(4);
    for (const url of seen) expect(url).toMatch(/\$select=(?!.*sealed_)/);
    for (const url of seen.slice(0, 2)) expect(url).toMatch(/\$filter=PartitionKey eq 'acme/);
  });
});

describe('a sealed payload (S-43)', () => {
  let harness: TablesHarness;
  beforeAll(async () => {
    harness = await createTablesHarness();
    const { connections, grants } = harness.stores;
    for (const connection of [sampleConnection('a'), sampleConnection('b'), sampleConnection('a', globex)]) {
      await connections.create(connection, sampleGrant(), sampleTokens());
    }
    for (const user of ['ann', 'bob']) {
      await grants.update(userKey(sampleConnection('a'), user), () => ({
        grant: sampleGrant(),
        tokens: sampleTokens(),
      }));
    }
  });

  const open = async (key: GrantKey) => {
    const stored = await harness.stores.grants.read(key);
    assert(stored !== undefined);
    return harness.stores.grants.open(stored);
  };
  const rowOf = async (key: GrantKey): Promise<[RawTable, RawRow]> => {
    const table = key.userId === null ? 'OAuthConnections' : 'OAuthUserGrants';
    const rows = await rowsOf(harness, table);
    const row = rows.find((one) =>
      key.userId === null ? one.partitionKey === key.org && one.rowKey === key.connection : one.user_id === key.userId,
    );
    assert(row !== undefined);
    return [table, row];
  };
  /** Puts columns of one row into another, as somebody with access to storage could. */
  async function plant(target: GrantKey, columns: object): Promise<void> {
    const [table, { partitionKey, rowKey }] = await rowOf(target);
    await harness.raw(table).updateEntity({ partitionKey, rowKey, ...columns }, 'Merge');
  }

  const target = ownKey(sampleConnection('a'));
  const ann = userKey(sampleConnection('a'), 'ann');
  it.each([
    ['another connection', ownKey(sampleConnection('b')), target],
    ['another organisation', ownKey(sampleConnection('a', globex)), target],
    ['a user', ann, target],
    ['another user', userKey(sampleConnection('a'), 'bob'), ann],
    ['the organisation itself', target, ann],
  ])('of %s is refused', async (_whose, source, victim) => {
    const [, own] = await rowOf(victim);
    const [, foreign] = await rowOf(source);
    await plant(victim, sealedOf(foreign));
    await expect(open(victim)).rejects.toMatchObject({ code: 'grant_unreadable' });
    await plant(victim, sealedOf(own));
    expect(revealed(await open(victim))).toEqual(revealed(sampleTokens()));
  });

  it('of an earlier seq is refused', async () => {
    const { grants } = harness.stores;
    const key = ownKey(sampleConnection('b'));
    const [, old] = await rowOf(key);
    const stored = await grants.read(key);
    assert(stored !== undefined);
    const claim = await claimed(grants, stored);
    await grants.commit(claim, refreshed(claim.stored, 'two'));
    await plant(key, sealedOf(old));
    await expect(open(key)).rejects.toMatchObject({ code: 'grant_unreadable' });
  });

  it('with any byte changed, cut short, emptied or of another format is refused alike', async () => {
    const [, own] = await rowOf(ann);
    const sealed = Buffer.from(own.sealed_0 as Uint8Array);
    const flipped = [0, 5, 20, 60, sealed.length - 1].map((at) => {
      const copy = Buffer.from(sealed);
      copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
      return copy;
    });
    for (const bytes of [...flipped, sealed.subarray(0, -1), Buffer.alloc(0), Buffer.from('text')]) {
      await plant(ann, { sealed_0: bytes });
      await expect(open(ann)).rejects.toMatchObject({
        code: 'grant_unreadable',
        message: 'The stored tokens cannot be read. Authorize the connection again.',
      });
    }
    await plant(ann, sealedOf(own));
    expect(await open(ann)).not.toBeNull();
  });

  it('of a transaction is refused in the place of another, and when it would lead elsewhere', async () => {
    const { transactions } = harness.stores;
    const table = harness.raw('OAuthTransactions');
    for (const digit of ['a', 'b']) await transactions.create(sampleTransaction(digit));
    const [a, b] = [
      { partitionKey: 'aa', rowKey: 'a'.repeat(64) },
      { partitionKey: 'bb', rowKey: 'b'.repeat(64) },
    ];
    const foreign = await table.getEntity(b.partitionKey, b.rowKey);
    await table.updateEntity({ ...b, redirect_uri: 'https://evil.example' }, 'Merge');
    await table.updateEntity({ ...a, sealed_0: foreign.sealed_0 }, 'Merge');
    expect(await transactions.get(a.rowKey)).toBeUndefined();
    expect(await transactions.get(b.rowKey)).toBeUndefined();
  });
});

describe('sizes', () => {
  it('that the service would refuse are refused before anything is sent', async () => {
    const { stores } = await createTablesHarness();
    const connection = sampleConnection('long', acme, { description: 'x'.repeat(32_769) });
    await expect(stores.connections.create(connection, sampleGrant(), null)).rejects.toMatchObject({
      code: 'validation_failed',
      details: [{ path: 'description', message: 'is too long to be stored' }],
    });
    const fits = sampleConnection('long', acme, { description: 'x'.repeat(32_768) });
    await stores.connections.create(fits, sampleGrant(), null);
    expect((await stores.connections.get(fits))?.connection).toEqual(fits);
  });
});
