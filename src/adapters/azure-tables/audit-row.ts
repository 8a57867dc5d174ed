import { type AuditDetail, type AuditRecord, monthAfter, monthOf } from '../../domain/audit.ts';
import type { AuditCheckpoint, ChainHead, ChainLink } from '../../domain/audit-chain.ts';
import type { ConnectionName, OrgId, UserId } from '../../domain/ids.ts';
import type { StoredRecord } from '../../ports/audit-log.ts';
import { type Columns, columnReader, jsonColumn, numberColumn, textColumn } from './columns.ts';
import { jobIdStart } from './job-store.ts';
import type { NewRow, Place, Row } from './table.ts';

/** No organisation's name has this character in it, so that nobody's records lie beside these. */
const ours = '!';
export const unknownOrg = ours;
export const headsOrg = `${ours}heads`;
export const checkpointPartition = `${ours}checkpoint`;

/** What comes after every month of an organisation, and before any other organisation whose name begins like it. */
export const afterEveryMonth = '~';

export function partitionOf(org: string, month: string): string {
  return `${org}|${month}`;
}

/** Later records have smaller keys. */
export function placeOfRecord({ org, at, id }: Pick<AuditRecord, 'org' | 'at' | 'id'>): Place {
  return { partitionKey: partitionOf(org ?? unknownOrg, monthOf(at)), rowKey: `${jobIdStart(at)}-${id}` };
}

/** The bounds of the row keys of a time span: from `from` on, and before `to`. */
export function keysBetween(from: number, to: number): { readonly least: string; readonly beyond: string } {
  return { least: jobIdStart(to - 1), beyond: `${jobIdStart(from)}.` };
}

export function toRecordRow(record: AuditRecord, link: ChainLink): NewRow {
  return { place: placeOfRecord(record), columns: toRecordColumns(record, link) };
}

function toRecordColumns(record: AuditRecord, link: ChainLink): Columns {
  const { actor } = record;
  return {
    at: numberColumn(record.at),
    connection: textColumn(record.connection),
    user_id: textColumn(record.userId),
    actor_kind: actor.kind,
    actor_id: actor.id,
    actor_name: actor.name,
    action: record.action,
    outcome: record.outcome,
    count: numberColumn(record.count),
    correlation_id: textColumn(record.correlationId),
    address: textColumn(record.address),
    detail: jsonColumn(record.detail),
    chain: link.chain,
    seq: numberColumn(link.seq),
    prev: link.prev,
    hash: link.hash,
  };
}

/** A record with its link. A newer version's action or outcome is taken as it is. */
export function toStoredRecord({ partitionKey, rowKey, columns }: Row): StoredRecord {
  const read = columnReader(columns);
  const [org = '', month = ''] = partitionKey.split('|');
  const [, id = ''] = rowKey.split('-');
  const record: AuditRecord = {
    id,
    at: read.number('at'),
    org: org === unknownOrg ? null : (org as OrgId),
    connection: read.optionalText('connection') as ConnectionName | null,
    userId: read.optionalText('user_id') as UserId | null,
    actor: {
      kind: read.text('actor_kind') as AuditRecord['actor']['kind'],
      id: read.text('actor_id'),
      name: read.text('actor_name'),
    },
    action: read.text('action') as AuditRecord['action'],
    outcome: read.text('outcome') as AuditRecord['outcome'],
    count: read.number('count'),
    correlationId: read.optionalText('correlation_id'),
    address: read.optionalText('address'),
    detail: read.json<AuditDetail>('detail') ?? {},
  };
  const link: ChainLink = {
    chain: read.text('chain'),
    seq: read.number('seq'),
    prev: read.text('prev'),
    hash: read.text('hash'),
  };
  const place = placeOfRecord(record);
  return { record, link, isInPlace: place.rowKey === rowKey && month === monthOf(record.at) };
}

export function toHeadRow(head: ChainHead): NewRow {
  const rowKey = `${head.day.slice(6)}|${head.chain}`;
  return { place: { partitionKey: partitionOf(headsOrg, head.day.slice(0, 6)), rowKey }, columns: toHeadColumns(head) };
}

function toHeadColumns(head: ChainHead): Columns {
  return {
    month: head.month,
    seq: numberColumn(head.seq),
    hash: head.hash,
    at: numberColumn(head.at),
    is_closed: head.isClosed,
  };
}

export function toHead({ partitionKey, rowKey, columns }: Row): ChainHead {
  const read = columnReader(columns);
  const [day = '', chain = ''] = rowKey.split('|');
  return {
    chain,
    month: read.text('month'),
    seq: read.optionalNumber('seq') ?? -1,
    hash: read.text('hash'),
    day: `${partitionKey.split('|')[1] ?? ''}${day}`,
    at: read.number('at'),
    isClosed: read.flag('is_closed'),
  };
}

export function toCheckpointColumns(checkpoint: AuditCheckpoint): Columns {
  return {
    digest: checkpoint.digest,
    prev: checkpoint.prev,
    heads: numberColumn(checkpoint.heads),
    at: numberColumn(checkpoint.at),
  };
}

export function toCheckpoint({ rowKey, columns }: Row): AuditCheckpoint {
  const read = columnReader(columns);
  return {
    day: rowKey,
    digest: read.text('digest'),
    prev: read.text('prev'),
    heads: read.number('heads'),
    at: read.number('at'),
  };
}

/** The months that a time span touches, newest first. */
export function monthsBetween(from: number, to: number): readonly string[] {
  const months: string[] = [];
  const oldest = monthOf(from);
  for (let month = monthOf(to - 1); month >= oldest; month = monthAfter(month, -1)) months.push(month);
  return months;
}
