import type { CallerRecord } from '../../domain/caller.ts';
import type { CallerStore, PrincipalName } from '../../ports/caller-store.ts';
import {
  keyPartition,
  principalPartition,
  principalRowKey,
  toCaller,
  toColumns,
  toKey,
  toKeyColumns,
  toPrincipal,
} from './caller-row.ts';
import { changeRow, insertRow, removeRow, type Surroundings } from './change-row.ts';
import { collectPage, type PageRequest } from './continuation.ts';
import { decodeRow, decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import type { Place, Row, Table } from './table.ts';

export interface CallerStoreOptions extends Surroundings {
  readonly table: Table;
  readonly onMalformedRow: OnMalformedRow;
}

/** What a row key may hold; the id comes from whoever presents a key. */
const idPattern = /^[A-Za-z0-9_-]{1,128}$/;

/** Says that a listing goes on among the principals. No continuation of the service has a dot in it. */
const principalsMark = 'entra.';

/** API keys, as SHA-256 only, and principals of Microsoft Entra on Table Storage. */
export function createCallerStore(options: CallerStoreOptions): CallerStore {
  const { table, onMalformedRow } = options;

  async function read<Value>(place: Place, decode: (row: Row) => Value): Promise<Value | undefined> {
    if (!idPattern.test(place.rowKey)) return undefined;
    const row = await table.read(place);
    return row && decodeRow(table, row, decode);
  }

  async function remove(place: Place): Promise<boolean> {
    return idPattern.test(place.rowKey) && (await removeRow(table, place)) !== undefined;
  }

  return {
    create: (caller) => insertRow(table, placeOf(caller), toColumns(caller), options),
    key: (keyId) => read({ partitionKey: keyPartition, rowKey: keyId }, toKey),
    principal: (name) => read(principalPlace(name), toPrincipal),

    async list(request) {
      const { rows, continuation } = await readPage(table, request);
      return { items: decodeRows(table, rows, toCaller, onMalformedRow), continuation };
    },

    async changeKey(keyId, decide) {
      if (!idPattern.test(keyId)) return false;
      let isChanged = false;
      const row = await changeRow(
        table,
        { partitionKey: keyPartition, rowKey: keyId },
        async (current) => {
          const key = current && decodeRow(table, current, toKey);
          const change = key && decide(key);
          isChanged = change !== undefined;
          return key && change && toKeyColumns({ ...key, ...change });
        },
        options,
      );
      return isChanged && row !== undefined;
    },

    removeKey: (keyId) => remove({ partitionKey: keyPartition, rowKey: keyId }),
    removePrincipal: (name) => remove(principalPlace(name)),
  };
}

function placeOf(caller: CallerRecord): Place {
  return caller.kind === 'api_key' ? { partitionKey: keyPartition, rowKey: caller.keyId } : principalPlace(caller);
}

function principalPlace(name: PrincipalName): Place {
  return { partitionKey: principalPartition, rowKey: principalRowKey(name) };
}

/** Keys first, then principals, each within its partition. */
async function readPage(table: Table, { limit, continuation }: PageRequest): ReturnType<typeof collectPage> {
  const rows: Row[] = [];
  let next = continuation;
  if (next === null || !next.startsWith(principalsMark)) {
    const keys = await collectPage(table, { partitionKey: keyPartition }, { limit, continuation: next });
    rows.push(...keys.rows);
    if (keys.continuation !== null) return keys;
    next = principalsMark;
    if (rows.length >= limit) return { rows, continuation: next };
  }
  const principals = await collectPage(
    table,
    { partitionKey: principalPartition },
    { limit: limit - rows.length, continuation: next.slice(principalsMark.length) || null },
  );
  rows.push(...principals.rows);
  return { rows, continuation: principals.continuation && `${principalsMark}${principals.continuation}` };
}
