import type { Opened } from '../../crypto/keyring.ts';
import { hasCode } from '../../domain/errors.ts';
import type { ResealResult } from '../../ports/grant-store.ts';
import { changeRow, type Surroundings } from './change-row.ts';
import { type SealingKeyring, sealBytes, sealingKeyId, toSealedColumns } from './sealed-columns.ts';
import type { Place, Row, Table } from './table.ts';

export interface ResealOptions extends Surroundings {
  readonly keyring: SealingKeyring;
}

export interface SealedRow {
  readonly table: Table;
  readonly place: Place;
  /** The columns of its payload. */
  readonly columns: readonly string[];
  /** Checks what it opens. Null: there is no payload. */
  readonly open: (row: Row) => Promise<Opened | null>;
}

/**
 * Seals the payload anew, to the byte, and writes nothing else of the row: see the ports. Whoever holds a grant's lease
 * loses the race for the ETag, reads again, finds the lease still theirs, and writes. A row that is written bears a new
 * time, so the lease of a holder who vanished can last that much longer.
 */
export async function resealRow(
  { table, place, columns, open }: SealedRow,
  options: ResealOptions,
): Promise<ResealResult> {
  let result: ResealResult = { kind: 'gone' };
  await changeRow(
    table,
    place,
    async (current) => {
      if (current === undefined) {
        result = { kind: 'gone' };
        return undefined;
      }
      const opened = await openOrSayWhy(open, current);
      if ('kind' in opened) {
        result = opened;
        return undefined;
      }
      const keyId = await sealingKeyId(options.keyring);
      result = { kind: opened.keyId === keyId ? 'current' : 'sealed_anew', keyId };
      if (result.kind === 'current') return undefined;
      return toSealedColumns(await sealBytes(options.keyring, opened.plaintext), columns);
    },
    options,
  );
  return result;
}

async function openOrSayWhy(open: SealedRow['open'], row: Row) {
  try {
    return (await open(row)) ?? { kind: 'empty' as const };
  } catch (error) {
    if (!hasCode(error, 'grant_unreadable', 'internal_error')) throw error;
    return { kind: 'unreadable' as const, reason: error.detail ?? error.message };
  }
}
