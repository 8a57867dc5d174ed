import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TableEntity } from '@azure/data-tables';
import { assert, describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/crypto/keyring.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createTablesHarness, type RawTable } from '../support/tables-harness.ts';
import { ownKey, refreshed, revealed, sampleConnection, sampleTokens, userKey } from '../support/tables-samples.ts';

/** Rows as each released version wrote them, with the key that sealed them. None of these files ever changes. */
interface RowsFixture {
  readonly version: string;
  readonly key: string;
  readonly rows: Readonly<Record<string, TableEntity>>;
}

const folder = join(import.meta.dirname, '..', 'fixtures', 'rows');
const fixtures = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as RowsFixture);
const clock = { now: () => Date.now() };
const connection = sampleConnection('crm');

function keyringOf({ key }: RowsFixture) {
  return createKeyring({ load: async () => [new Secret(key)], clock, randomBytes });
}

async function storesWith(fixture: RowsFixture) {
  const keyring = keyringOf(fixture);
  const harness = await createTablesHarness({ keyring });
  for (const [table, row] of Object.entries(fixture.rows)) await harness.raw(table as RawTable).createEntity(row);
  return { ...harness, keyring };
}

describe('S-44 the payload names its version', () => {
  it('and this version’s rows are among the fixtures', () => {
    const released = JSON.parse(readFileSync(join(folder, '..', '..', '..', 'package.json'), 'utf8')).version;
    expect(fixtures.map(({ version }) => version)).toContain(released);
  });

  it.each(fixtures.map((fixture) => [fixture.version, fixture] as const))(
    'rows of %s are read, their tokens opened, and written again',
    async (_version, fixture) => {
      const { stores } = await storesWith(fixture);
      // A version that knew of no signing keys wrote this row.
      expect((await stores.connections.get(connection))?.connection).toEqual({ ...connection, signingKey: null });
      for (const [key, mark] of [
        [ownKey(connection), 'v1'],
        [userKey(connection, 'ann'), 'v1-ann'],
      ] as const) {
        const stored = await stores.grants.read(key);
        assert(stored !== undefined);
        expect(revealed(await stores.grants.open(stored))).toEqual(revealed(sampleTokens(mark)));
        const written = await stores.grants.update(key, (current) => current && refreshed(current, 'later'));
        assert(written !== undefined);
        expect(revealed(await stores.grants.open(written))).toEqual(revealed(sampleTokens('later')));
      }
    },
  );

  it.each([
    ['a later version', { v: 2 }],
    ['no version', { v: undefined }],
    ['a version that is a text', { v: '1' }],
  ])('%s is a clear error, and the log alone says why', async (_what, change) => {
    const [fixture] = fixtures;
    assert(fixture !== undefined);
    const { stores, raw, keyring } = await storesWith(fixture);
    const row = await raw('OAuthConnections').getEntity<{ sealed_0: Uint8Array }>('acme', 'crm');
    const payload = JSON.parse(Buffer.from(await keyring.open(row.sealed_0)).toString());
    const sealed = await keyring.seal(Buffer.from(JSON.stringify({ ...payload, ...change })));
    const place = { partitionKey: 'acme', rowKey: 'crm' };
    await raw('OAuthConnections').updateEntity({ ...place, sealed_0: sealed }, 'Merge');
    const stored = await stores.grants.read(ownKey(connection));
    assert(stored !== undefined);
    await expect(stores.grants.open(stored)).rejects.toMatchObject({
      code: 'grant_unreadable',
      message: 'The stored tokens cannot be read. Authorize the connection again.',
      detail: 'sealed payload: unknown version or shape',
    });
  });
});
