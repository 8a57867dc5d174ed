import { odata } from '@azure/data-tables';
import type { OrgId } from '../../domain/ids.ts';
import {
  type RefreshCounts,
  type RefreshError,
  type RefreshJob,
  sumByOrg,
  sumFigures,
} from '../../domain/refresh-job.ts';
import type { JobStore } from '../../ports/job-store.ts';
import { changeRow, insertRow, type Surroundings } from './change-row.ts';
import { type Columns, columnReader, jsonColumn, numberColumn, textColumn } from './columns.ts';
import { decodeRow } from './malformed-rows.ts';
import { purgeRows, purgeWhole } from './purge-rows.ts';
import type { Row, Table } from './table.ts';

export interface JobStoreOptions extends Surroundings {
  readonly table: Table;
}

const partitionKey = 'refresh';
export const rekeyPartition = 'rekey';
/** 13 digits hold milliseconds until the year 2286. */
const latestMs = 9_999_999_999_999;
/** Four sweeps by default: what a job has not done by then has been given up, and the next sweeps have found it again. */
const silentMs = 2 * 60 * 60 * 1000;
export const jobIdPattern = /^\d{13}-[0-9a-f]{32}$/;

/** Sweeps on Table Storage: one row for the job, one for each batch. */
export function createJobStore(options: JobStoreOptions): JobStore {
  const { table, random } = options;

  async function read(id: string): Promise<RefreshJob | undefined> {
    if (!jobIdPattern.test(id)) return undefined;
    const and = odata`RowKey ge ${id} and RowKey lt ${`${id}}`}`;
    const rows = await table.all({ partitionKey, and });
    const job = rows.find((row) => row.rowKey === id);
    const batches = rows.filter((row) => row.rowKey !== id);
    return (
      job &&
      toJob(
        decodeRow(table, job, toJobRow),
        batches.map((row) => decodeRow(table, row, toBatch)),
        options.clock.now(),
      )
    );
  }

  return {
    async begin({ trigger, org, startedAt }) {
      const id = `${jobIdStart(startedAt)}-${random.id()}`;
      const columns: Columns = {
        kind: 'job',
        trigger,
        org: textColumn(org),
        started_at: numberColumn(startedAt),
        due: numberColumn(0),
        batches: numberColumn(null),
        dispatched_at: numberColumn(null),
      };
      await insertRow(table, { partitionKey, rowKey: id }, columns, options);
      return id;
    },

    async dispatched(id, { due, batches }) {
      const columns: Columns = {
        due: numberColumn(due),
        batches: numberColumn(batches),
        dispatched_at: numberColumn(options.clock.now()),
      };
      const decide = async (current: Row | undefined) => current && columns;
      await changeRow(table, { partitionKey, rowKey: id }, decide, options);
    },

    async batchDone(id, batch, counts, at) {
      const rowKey = `${id}|b${String(batch).padStart(6, '0')}`;
      await table.put(
        { partitionKey, rowKey },
        {
          kind: 'batch',
          refreshed: numberColumn(counts.refreshed),
          skipped: numberColumn(counts.skipped),
          failed: numberColumn(counts.failed),
          errors: jsonColumn(counts.errors),
          by_org: jsonColumn(counts.byOrg),
          at: numberColumn(at),
        },
      );
    },

    get: read,

    async latest(org) {
      const and = odata`kind eq ${'job'} and (org eq ${''} or org eq ${org})`;
      for await (const [newest] of table.pages({ partitionKey, and, pageSize: 1 })) {
        if (newest !== undefined) return read(newest.rowKey);
      }
      return undefined;
    },

    async *purge(before, start) {
      const and = odata`RowKey ge ${jobIdStart(before - 1)}`;
      for await (const { removed, cursor } of purgeRows(table, { partitionKey, and }, start)) {
        // Rekey jobs are one row each and few: they go with the last page.
        const others = cursor === null ? await purgeWhole(table, { partitionKey: rekeyPartition, and }) : 0;
        yield { removed: removed + others, cursor };
      }
    },
  };
}

/** Later jobs have smaller ids. */
export function jobIdStart(startedAt: number): string {
  return String(latestMs - startedAt).padStart(13, '0');
}

interface JobRow extends Pick<RefreshJob, 'id' | 'trigger' | 'org' | 'startedAt' | 'due'> {
  /** Null until all are known. They go on the queue after that. */
  readonly batches: number | null;
  readonly dispatchedAt: number | null;
}

interface Batch extends RefreshCounts {
  readonly at: number;
}

function toJobRow({ rowKey, columns }: Row): JobRow {
  const read = columnReader(columns);
  return {
    id: rowKey,
    trigger: read.oneOf('trigger', ['automatic', 'manual']),
    org: read.optionalText('org') as OrgId | null,
    startedAt: read.number('started_at'),
    due: read.number('due'),
    batches: read.optionalNumber('batches'),
    dispatchedAt: read.optionalNumber('dispatched_at'),
  };
}

function toBatch({ columns }: Row): Batch {
  const read = columnReader(columns);
  return {
    refreshed: read.number('refreshed'),
    skipped: read.number('skipped'),
    failed: read.number('failed'),
    errors: read.json<readonly RefreshError[]>('errors') ?? [],
    byOrg: read.json<RefreshCounts['byOrg']>('by_org') ?? {},
    at: read.number('at'),
  };
}

/** A job that has been silent for too long has ended as well: its batches may never have come to the queue. */
function toJob(
  { batches: expected, dispatchedAt, ...job }: JobRow,
  batches: readonly Batch[],
  now: number,
): RefreshJob {
  const lastSign = Math.max(dispatchedAt ?? job.startedAt, ...batches.map((batch) => batch.at));
  const isComplete = expected !== null && batches.length >= expected;
  const isFinished = isComplete || now - lastSign > silentMs;
  return {
    ...job,
    ...sumFigures(batches),
    byOrg: sumByOrg(batches.map((batch) => batch.byOrg)),
    errors: batches.flatMap((batch) => batch.errors),
    state: isFinished ? 'finished' : 'running',
    finishedAt: isFinished ? lastSign : null,
  };
}
