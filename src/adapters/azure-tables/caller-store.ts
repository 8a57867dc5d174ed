import { type CallerRecord, type Role, roles } from '../../domain/caller.ts';
import type { CallerStore } from '../../ports/caller-store.ts';
import { insertRow, removeRow, type Surroundings } from './change-row.ts';
import { type Columns, columnReader, jsonColumn, MalformedRowError, numberColumn } from './columns.ts';
import { collectPage } from './continuation.ts';
import { decodeRow, decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import type { Row, Table } from './table.ts';

export interface CallerStoreOptions extends Surroundings {
  readonly table: Table;
  readonly onMalformedRow: OnMalformedRow;
}

const partitionKey = 'keys';
/** What a row key may hold; the id comes from whoever presents a key. */
const keyIdPattern = /^[A-Za-z0-9_-]{1,128}$/;

/** API keys on Table Storage, as SHA-256 only. */
export function createCallerStore(options: CallerStoreOptions): CallerStore {
  const { table, onMalformedRow } = options;
  const placeOf = (keyId: string) => ({ partitionKey, rowKey: keyId });

  return {
    async create(caller) {
      await insertRow(table, placeOf(caller.keyId), toColumns(caller), options);
    },

    async get(keyId) {
      if (!keyIdPattern.test(keyId)) return undefined;
      const row = await table.read(placeOf(keyId));
      return row && decodeRow(table, row, toCaller);
    },

    async list(request) {
      const { rows, continuation } = await collectPage(table, { partitionKey }, request);
      return { items: decodeRows(table, rows, toCaller, onMalformedRow), continuation };
    },

    async remove(keyId) {
      if (!keyIdPattern.test(keyId)) return false;
      return (await removeRow(table, placeOf(keyId))) !== undefined;
    },
  };
}

function toColumns(caller: CallerRecord): Columns {
  return {
    caller_id: caller.id,
    name: caller.name,
    org_ids: jsonColumn(caller.orgIds),
    roles: jsonColumn(caller.roles),
    expires_at: numberColumn(caller.expiresAt),
    secret_sha256: caller.secretSha256,
    created_at: numberColumn(caller.createdAt),
    created_by: caller.createdBy,
  };
}

function toCaller({ rowKey, columns }: Row): CallerRecord {
  const read = columnReader(columns);
  const held = read.json<readonly Role[]>('roles') ?? [];
  if (!held.every((role) => roles.includes(role))) throw new MalformedRowError('column roles holds one not known');
  return {
    keyId: rowKey,
    id: read.text('caller_id'),
    name: read.text('name'),
    orgIds: read.json<readonly string[]>('org_ids') ?? [],
    roles: held,
    expiresAt: read.optionalNumber('expires_at'),
    secretSha256: read.text('secret_sha256'),
    createdAt: read.number('created_at'),
    createdBy: read.text('created_by'),
  };
}
