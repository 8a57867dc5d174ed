import { createHash } from 'node:crypto';
import { odata } from '@azure/data-tables';
import type { GrantKey } from '../../domain/grant.ts';
import type { ConnectionName, OrgId, UserId } from '../../domain/ids.ts';
import type { DatedEntry, DueEntry, DueIndex } from '../../ports/due-index.ts';
import { columnReader, MalformedRowError, textColumn } from './columns.ts';
import { walkTable } from './continuation.ts';
import { decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import type { Place, Row, Table } from './table.ts';

export interface DueIndexOptions {
  readonly table: Table;
  readonly onMalformedRow: OnMalformedRow;
}

/** Each shard has partitions of its own, so that no single one takes every write. */
const shards = 16;
const hourMs = 60 * 60 * 1000;
/** 13 digits hold milliseconds until the year 2286; hours of them need 7. */
const timeDigits = 13;
const bucketDigits = 7;
const columns = ['org', 'connection_org', 'connection', 'user_id', 'server'];

/** The due index on Table Storage: a partition for each shard and hour, rows by time within it. */
export function createDueIndex({ table, onMalformedRow }: DueIndexOptions): DueIndex {
  const decode = (rows: readonly Row[]) => decodeRows(table, rows, toEntry, onMalformedRow);

  return {
    async insert({ key, at, server }) {
      const { org, connectionOrg, connection, userId } = key;
      const entry = { org, connection_org: connectionOrg, connection, user_id: textColumn(userId), server };
      return (await table.insert(placeOf(key, at), entry)) !== 'exists';
    },

    async remove({ key, at }) {
      await table.remove({ ...placeOf(key, at), etag: '*' });
    },

    async *due(until, most = Number.POSITIVE_INFINITY) {
      // Each shard has its share, so that a backlog in the first ones does not hide the others'.
      const share = Math.ceil(most / shards);
      for (let shard = 0; shard < shards; shard += 1) {
        const from = partition(shard, 0);
        const last = partition(shard, until);
        const and = odata`PartitionKey ge ${from} and PartitionKey le ${last} and (PartitionKey lt ${last} or RowKey lt ${rowKeyStart(until + 1)})`;
        let left = share;
        for await (const rows of table.pages({ and, select: columns })) {
          const entries = decode(rows).slice(0, left);
          left -= entries.length;
          yield entries;
          if (left <= 0) break;
        }
      }
    },

    async *walk(start) {
      for await (const { rows, cursor } of walkTable(table, { select: columns }, start)) {
        yield { entries: decodeRows(table, rows, toDatedEntry, onMalformedRow), cursor };
      }
    },
  };
}

function placeOf(key: GrantKey, at: number): Place {
  const hash = createHash('sha256')
    .update(JSON.stringify([key.connectionOrg, key.org, key.connection, key.userId]))
    .digest();
  const shard = (hash[0] ?? 0) % shards;
  return { partitionKey: partition(shard, at), rowKey: `${rowKeyStart(at)}${hash.toString('base64url')}` };
}

function partition(shard: number, at: number): string {
  return `d${String(shard).padStart(2, '0')}|${String(Math.floor(at / hourMs)).padStart(bucketDigits, '0')}`;
}

function rowKeyStart(at: number): string {
  return `${String(at).padStart(timeDigits, '0')}|`;
}

function toDatedEntry(row: Row): DatedEntry {
  return { ...toEntry(row), writtenAt: row.writtenAt };
}

/**
 * Throws `MalformedRowError` when the row lies where no entry of that grant belongs: it could not be removed, and one
 * that names nobody would spoil the batch it goes into.
 */
function toEntry(row: Row): DueEntry {
  const read = columnReader(row.columns);
  const key = {
    org: read.text('org') as OrgId,
    connectionOrg: read.text('connection_org') as OrgId,
    connection: read.text('connection') as ConnectionName,
    userId: read.optionalText('user_id') as UserId | null,
  };
  const at = Number(row.rowKey.slice(0, timeDigits));
  const place = placeOf(key, at);
  if (place.partitionKey !== row.partitionKey || place.rowKey !== row.rowKey) {
    throw new MalformedRowError('the row lies in a place of another entry');
  }
  return { key, at, server: read.text('server') };
}
