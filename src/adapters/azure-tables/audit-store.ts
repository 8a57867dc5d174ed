import { odata } from '@azure/data-tables';
import type { AuditLog, AuditQuery } from '../../ports/audit-log.ts';
import type { PurgedPage } from '../../ports/purged-page.ts';
import { createAuditLanes } from './audit-lanes.ts';
import {
  afterEveryMonth,
  checkpointPartition,
  headsOrg,
  keysBetween,
  monthsBetween,
  partitionOf,
  toCheckpoint,
  toCheckpointColumns,
  toHead,
  toStoredRecord,
  unknownOrg,
} from './audit-row.ts';
import type { AuditWriterOptions } from './audit-writer.ts';
import { MalformedRowError } from './columns.ts';
import { toContinuation, toServiceToken } from './continuation.ts';
import { decodeRow, decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import { purgeRows } from './purge-rows.ts';
import { invalidContinuation } from './storage-errors.ts';
import type { Row, Table } from './table.ts';

export interface AuditStoreOptions extends AuditWriterOptions {
  readonly onMalformedRow: OnMalformedRow;
}

/** A page of a listing takes no more requests: with a filter that little fits, it ends early. */
const mostRequests = 20;

/** The audit log on Table Storage: rows are inserted, and deleted when their month is over the retention; nothing else. */
export function createAuditStore(options: AuditStoreOptions): AuditLog {
  const { table, onMalformedRow } = options;
  const { append, close } = createAuditLanes(options);

  return {
    append,
    close,

    async list(query) {
      const { rows, continuation } = await listRows(table, query);
      const items = decodeRows(table, rows, toStoredRecord, onMalformedRow).map(({ record }) => record);
      return { items, continuation };
    },

    async *recordsOf(month) {
      for await (const org of organisations(table)) {
        if (org === headsOrg) continue;
        for await (const rows of table.pages({ partitionKey: partitionOf(org, month) })) {
          for (const row of rows) yield readable(row);
        }
      }
    },

    async headsOf(month) {
      const rows = await table.all({ partitionKey: partitionOf(headsOrg, month) });
      return rows.map((row) => decodeRow(table, row, toHead));
    },

    async checkpoints() {
      const rows = await table.all({ partitionKey: checkpointPartition });
      return rows.map((row) => decodeRow(table, row, toCheckpoint));
    },

    async latestCheckpoint() {
      const rows = await table.all({ partitionKey: checkpointPartition, select: [] });
      const last = rows.at(-1);
      const row = last && (await table.read(last));
      return row && decodeRow(table, row, toCheckpoint);
    },

    async keepCheckpoint(checkpoint) {
      const place = { partitionKey: checkpointPartition, rowKey: checkpoint.day };
      const inserted = await table.insert(place, toCheckpointColumns(checkpoint));
      const row = inserted === 'exists' ? await table.read(place) : inserted;
      return row === undefined ? checkpoint : decodeRow(table, row, toCheckpoint);
    },

    purge: (beforeMonth, cursor) => purge(table, beforeMonth, cursor),
  };
}

function readable(row: Row) {
  try {
    return toStoredRecord(row);
  } catch (error) {
    if (!(error instanceof MalformedRowError)) throw error;
    return { unreadable: `${row.partitionKey} ${row.rowKey}: ${error.message}` };
  }
}

/** The organisations of all partitions, each once: jumps from one to the next, whatever lies between. */
async function* organisations(table: Table, after = ''): AsyncGenerator<string> {
  let beyond = after === '' ? '' : partitionOf(after, afterEveryMonth);
  for (;;) {
    const next = await firstRow(table, odata`PartitionKey gt ${beyond}`);
    if (next === undefined) return;
    const [org = ''] = next.partitionKey.split('|');
    if (next.partitionKey !== checkpointPartition) yield org;
    beyond = partitionOf(org, afterEveryMonth);
  }
}

/** The service may end a page before it has found anything. */
async function firstRow(table: Table, and: string): Promise<Row | undefined> {
  for await (const [first] of table.pages({ and, select: [], pageSize: 1 })) {
    if (first !== undefined) return first;
  }
  return undefined;
}

async function* purge(table: Table, beforeMonth: string, cursor: string | null): AsyncGenerator<PurgedPage> {
  // Only what is done is passed over when the purge goes on from a cursor.
  let done = cursor ?? '';
  for await (const org of organisations(table, done)) {
    const and = odata`PartitionKey ge ${partitionOf(org, '')} and PartitionKey lt ${partitionOf(org, beforeMonth)}`;
    for await (const { removed } of purgeRows(table, { and }, null)) yield { removed, cursor: done };
    done = org;
  }
  yield { removed: 0, cursor: null };
}

async function listRows(table: Table, query: AuditQuery) {
  const { from, to, limit, connection, callerId, action } = query;
  const { least, beyond } = keysBetween(from, to);
  const and = [
    odata`RowKey ge ${least} and RowKey lt ${beyond}`,
    ...(connection === null ? [] : [odata`connection eq ${connection}`]),
    ...(callerId === null ? [] : [odata`actor_id eq ${callerId}`]),
    ...(action === null ? [] : [odata`action eq ${action}`]),
  ].join(' and ');
  const months = monthsBetween(from, to);
  const start = placeInListing(query.continuation);
  if (start !== null && !months.includes(start.month)) throw invalidContinuation();
  const rows: Row[] = [];
  let requests = 0;
  let token = start?.token;
  for (const month of months.slice(start === null ? 0 : months.indexOf(start.month))) {
    do {
      if (rows.length >= limit || requests >= mostRequests) return { rows, continuation: continuationAt(month, token) };
      requests += 1;
      const partitionKey = partitionOf(query.org ?? unknownOrg, month);
      const page = await table.page({ partitionKey, and, pageSize: limit - rows.length, continuation: token });
      rows.push(...page.rows);
      token = page.continuation;
    } while (token !== undefined);
  }
  return { rows, continuation: null };
}

/** Which month comes next, and where in it. */
function continuationAt(month: string, token: string | undefined): string {
  return `${month}.${toContinuation(token) ?? ''}`;
}

function placeInListing(continuation: string | null) {
  if (continuation === null) return null;
  const [, month, token] = /^(\d{6})\.(.*)$/s.exec(continuation) ?? [];
  if (month === undefined || token === undefined) throw invalidContinuation();
  return { month, token: token === '' ? undefined : toServiceToken(token) };
}
