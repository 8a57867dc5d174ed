import { hasCode } from '../../domain/errors.ts';
import type { GrantKey } from '../../domain/grant.ts';
import type { ResealResult } from '../../ports/grant-store.ts';
import { changeRow, type Surroundings } from './change-row.ts';
import { rowOf } from './grant-row.ts';
import { decodeGrant, type GrantTables, placeOfGrant } from './grant-rows.ts';
import { type SealingKeyring, sealBytes, sealingKeyId, toSealedColumns } from './sealed-columns.ts';
import { openPayload, sealedGrantColumns } from './sealed-place.ts';
import type { Row, Table } from './table.ts';

export interface ResealOptions extends Surroundings {
  readonly tables: GrantTables;
  readonly keyring: SealingKeyring;
}

/**
 * Seals the payload anew, to the byte, and writes nothing else of the row: see the port. Whoever holds the lease loses
 * the race for the ETag, reads again, finds the lease still theirs, and writes. A row that is written bears a new time,
 * so the lease of a holder who vanished can last that much longer.
 */
export async function resealGrant(key: GrantKey, options: ResealOptions): Promise<ResealResult> {
  const { table, place } = placeOfGrant(options.tables, key);
  let result: ResealResult = { kind: 'gone' };
  await changeRow(
    table,
    place,
    async (current) => {
      if (current === undefined) {
        result = { kind: 'gone' };
        return undefined;
      }
      const opened = await open(table, key, current, options.keyring);
      if ('kind' in opened) {
        result = opened;
        return undefined;
      }
      const keyId = await sealingKeyId(options.keyring);
      result = { kind: opened.keyId === keyId ? 'current' : 'sealed_anew', keyId };
      if (result.kind === 'current') return undefined;
      return toSealedColumns(await sealBytes(options.keyring, opened.plaintext), sealedGrantColumns);
    },
    options,
  );
  return result;
}

async function open(table: Table, key: GrantKey, row: Row, keyring: SealingKeyring) {
  try {
    const stored = decodeGrant(table, key, row);
    const opened = await openPayload(keyring, key, stored.grant, rowOf(stored).columns);
    return opened ?? { kind: 'empty' as const };
  } catch (error) {
    if (!hasCode(error, 'grant_unreadable', 'internal_error')) throw error;
    return { kind: 'unreadable' as const, reason: error.detail ?? error.message };
  }
}
