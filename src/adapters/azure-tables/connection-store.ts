import assert from 'node:assert/strict';
import { BrokerError } from '../../domain/errors.ts';
import type { ConnectionChange, ConnectionStore, StoredConnection } from '../../ports/connection-store.ts';
import { changeRow, insertRow, removeRow, type Surroundings } from './change-row.ts';
import type { Columns } from './columns.ts';
import {
  connectionColumns,
  connectionPlace,
  ownGrantKey,
  toConnectionColumns,
  toStoredConnection,
} from './connection-row.ts';
import { collectPage, walkTable } from './continuation.ts';
import { toGrantChangeColumns } from './grant-change.ts';
import { noLease, toGrantColumns, toLeaseColumns } from './grant-row.ts';
import { decodeRow, decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import type { SealingKeyring } from './sealed-columns.ts';
import { sealTokens } from './sealed-place.ts';
import type { Row, Table } from './table.ts';

export interface ConnectionStoreOptions extends Surroundings {
  readonly table: Table;
  readonly keyring: SealingKeyring;
  readonly onMalformedRow: OnMalformedRow;
}

/** Connections on Table Storage: one row each, with the organisation's own grant. */
export function createConnectionStore(options: ConnectionStoreOptions): ConnectionStore {
  const { table, keyring, onMalformedRow } = options;
  const decode = (row: Row) => decodeRow(table, row, toStoredConnection);

  async function columnsOf(current: StoredConnection, change: ConnectionChange): Promise<Columns> {
    const { connection, grant = current.own.grant, tokens } = change;
    assert(connection.org === current.connection.org && connection.name === current.connection.name);
    const grantChange = change.grant === undefined && tokens === undefined ? undefined : { grant, tokens };
    return {
      ...toConnectionColumns(connection),
      ...(grantChange && (await toGrantChangeColumns(keyring, current.own.key, current.own.grant, grantChange))),
    };
  }

  return {
    async create(connection, grant, tokens) {
      const columns = {
        ...toConnectionColumns(connection),
        ...toGrantColumns(grant),
        ...toLeaseColumns(noLease),
        ...(await sealTokens(keyring, ownGrantKey(connection), grant, tokens)),
      };
      if (!(await insertRow(table, connectionPlace(connection), columns, options))) {
        throw new BrokerError('connection_exists', `There is a connection named ${connection.name} already.`);
      }
    },

    async get(key) {
      const row = await table.read(connectionPlace(key));
      return row && decode(row);
    },

    async update(key, updater) {
      const row = await changeRow(
        table,
        connectionPlace(key),
        async (current) => {
          if (current === undefined) return undefined;
          const stored = decode(current);
          const change = updater(stored);
          return change && columnsOf(stored, change);
        },
        options,
      );
      return row && decode(row);
    },

    async remove(key, isWanted) {
      const row = await removeRow(table, connectionPlace(key), (current) => isWanted?.(decode(current)) ?? true);
      return row && decode(row);
    },

    async list(org, request) {
      const { rows, continuation } = await collectPage(
        table,
        { partitionKey: org, select: connectionColumns },
        request,
      );
      return { items: decodeRows(table, rows, toStoredConnection, onMalformedRow), continuation };
    },

    async *walkOwn(start, walkOptions) {
      for await (const { rows, cursor } of walkTable(table, { select: connectionColumns }, start, walkOptions)) {
        const items = decodeRows(table, rows, toStoredConnection, onMalformedRow);
        yield { items, leftOut: rows.length - items.length, cursor };
      }
    },
  };
}
