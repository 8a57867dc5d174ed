import type { GrantKey } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { connectionPlace } from './connection-row.ts';
import { toStoredGrant, toUserGrant, userGrantPlace } from './grant-row.ts';
import { decodeRow } from './malformed-rows.ts';
import type { Place, Row, Table } from './table.ts';

/** The two tables in which grants lie. */
export interface GrantTables {
  readonly connections: Table;
  readonly userGrants: Table;
}

export function isUserKey(key: GrantKey): key is GrantKey & { readonly userId: UserId } {
  return key.userId !== null;
}

export function placeOfGrant(tables: GrantTables, key: GrantKey): { readonly table: Table; readonly place: Place } {
  if (isUserKey(key)) return { table: tables.userGrants, place: userGrantPlace(key) };
  return { table: tables.connections, place: connectionPlace({ org: key.connectionOrg, name: key.connection }) };
}

export function decodeGrant(table: Table, key: GrantKey, row: Row): StoredGrant {
  return decodeRow(table, row, (whole) => (isUserKey(key) ? toUserGrant(whole) : toStoredGrant(key, whole)));
}

export async function readGrant(tables: GrantTables, key: GrantKey): Promise<StoredGrant | undefined> {
  const { table, place } = placeOfGrant(tables, key);
  const row = await table.read(place);
  return row && decodeGrant(table, key, row);
}
