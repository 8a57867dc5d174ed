import type { GrantPage, GrantStore, StoredGrant } from '../../ports/grant-store.ts';
import { changeRow, removeRow } from './change-row.ts';
import { numberColumn } from './columns.ts';
import { collectPage, walkTable } from './continuation.ts';
import { toGrantChangeColumns } from './grant-change.ts';
import { claimGrant, releaseClaim } from './grant-claim.ts';
import { type CommitOptions, commitGrant } from './grant-commit.ts';
import { rowOf, toUserGrant, toUserKeyColumns, userGrantColumns, userGrantPlace, userPartition } from './grant-row.ts';
import { decodeGrant, isUserKey, placeOfGrant, readGrant } from './grant-rows.ts';
import { decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import { resealRow } from './reseal-row.ts';
import { sealingKeyId, unreadable } from './sealed-columns.ts';
import { openPayload, openTokens, sealedGrantColumns } from './sealed-place.ts';
import type { Row } from './table.ts';

export interface GrantStoreOptions extends CommitOptions {
  readonly onMalformedRow: OnMalformedRow;
}

const dayMs = 24 * 60 * 60 * 1000;

/** Grants on Table Storage: the organisation's own in the connection's row, each user's in one of its own. */
export function createGrantStore(options: GrantStoreOptions): GrantStore {
  const { tables, keyring, onMalformedRow } = options;
  const { userGrants } = tables;

  /** A listing has no sealed columns: the row is read again, and must still be the one that was listed. */
  async function withSealedColumns(stored: StoredGrant): Promise<StoredGrant> {
    if (rowOf(stored).isWhole) return stored;
    const whole = await readGrant(tables, stored.key);
    const isSame = whole?.grant.seq === stored.grant.seq && whole.grant.generation === stored.grant.generation;
    if (whole === undefined || !isSame) throw unreadable('the grant has changed since it was listed');
    return whole;
  }

  return {
    read: (key) => readGrant(tables, key),

    async open(stored) {
      const whole = await withSealedColumns(stored);
      return openTokens(keyring, whole.key, whole.grant, rowOf(whole).columns);
    },

    claim: (stored, isFresh) => claimGrant(stored, isFresh, options),
    commit: (claim, change) => commitGrant(claim, change, options),
    release: (claim) => releaseClaim(claim, options),

    async update(key, updater) {
      const { table, place } = placeOfGrant(tables, key);
      const row = await changeRow(
        table,
        place,
        async (current) => {
          if (current === undefined && !isUserKey(key)) return undefined;
          const stored = current && decodeGrant(table, key, current);
          const change = updater(stored);
          if (change === undefined) return undefined;
          const columns = await toGrantChangeColumns(keyring, key, stored?.grant, change);
          return isUserKey(key) ? { ...toUserKeyColumns(key), ...columns } : columns;
        },
        options,
      );
      return row && decodeGrant(table, key, row);
    },

    async touch(stored, at) {
      const { lastUsedAt } = stored.grant;
      if (lastUsedAt !== null && at - lastUsedAt < dayMs) return;
      const { table } = placeOfGrant(tables, stored.key);
      // A hint: when somebody else was faster, or storage does not answer, the next use notes it.
      await table.merge(rowOf(stored), { last_used_at: numberColumn(at) }).catch(() => {});
    },

    async listUsers(connection, org, request): Promise<GrantPage> {
      const partitionKey = userPartition({ connectionOrg: connection.org, org, connection: connection.name });
      const { rows, continuation } = await collectPage(userGrants, { partitionKey, select: userGrantColumns }, request);
      return { items: decodeRows(userGrants, rows, toUserGrant, onMalformedRow), continuation };
    },

    async removeUser(key, isWanted) {
      if (!isUserKey(key)) return undefined;
      const decode = (row: Row) => decodeGrant(userGrants, key, row);
      const row = await removeRow(userGrants, userGrantPlace(key), (current) => isWanted?.(decode(current)) ?? true);
      return row && decode(row);
    },

    sealingKey: (keyOptions) => sealingKeyId(keyring, keyOptions),
    reseal(key) {
      const { table, place } = placeOfGrant(tables, key);
      const open = async (row: Row) => {
        const stored = decodeGrant(table, key, row);
        return openPayload(keyring, key, stored.grant, rowOf(stored).columns);
      };
      return resealRow({ table, place, columns: sealedGrantColumns, open }, options);
    },

    async *walkUsers(start, walkOptions) {
      for await (const { rows, cursor } of walkTable(userGrants, { select: userGrantColumns }, start, walkOptions)) {
        const items = decodeRows(userGrants, rows, toUserGrant, onMalformedRow);
        yield { items, leftOut: rows.length - items.length, cursor };
      }
    },
  };
}
