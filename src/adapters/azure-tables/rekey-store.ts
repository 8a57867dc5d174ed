import { noRekeyFigures, type RekeyJob, rekeyParts } from '../../domain/rekey-job.ts';
import type { RekeyStore } from '../../ports/rekey-store.ts';
import { changeRow, insertRow, type Surroundings } from './change-row.ts';
import { type Columns, columnReader, jsonColumn, numberColumn, textColumn } from './columns.ts';
import { jobIdPattern, jobIdStart, rekeyPartition } from './job-store.ts';
import { decodeRow } from './malformed-rows.ts';
import type { Row, Table } from './table.ts';

export interface RekeyStoreOptions extends Surroundings {
  readonly table: Table;
}

const partitionKey = rekeyPartition;

/** Rekey jobs on Table Storage: one row each, the checkpoint. */
export function createRekeyStore(options: RekeyStoreOptions): RekeyStore {
  const { table, random } = options;
  const decode = (row: Row) => decodeRow(table, row, toJob);

  return {
    async begin({ startedAt, keyId }) {
      const id = `${jobIdStart(startedAt)}-${random.id()}`;
      const place = { part: 'own', cursor: null } as const;
      const job: RekeyJob = {
        id,
        startedAt,
        updatedAt: startedAt,
        keyId,
        step: 0,
        place,
        finishedAt: null,
        ...noRekeyFigures,
      };
      await insertRow(table, { partitionKey, rowKey: id }, toJobColumns(job), options);
      return job;
    },

    async get(id) {
      if (!jobIdPattern.test(id)) return undefined;
      const row = await table.read({ partitionKey, rowKey: id });
      return row && decode(row);
    },

    async latest() {
      for await (const [newest] of table.pages({ partitionKey, pageSize: 1 })) {
        if (newest !== undefined) return decode(newest);
      }
      return undefined;
    },

    async advance(job) {
      let isNext = false;
      const decide = async (current: Row | undefined) => {
        isNext = current !== undefined && decode(current).step + 1 === job.step;
        return isNext ? toJobColumns(job) : undefined;
      };
      await changeRow(table, { partitionKey, rowKey: job.id }, decide, options);
      return isNext;
    },
  };
}

function toJobColumns(job: RekeyJob): Columns {
  return {
    step: numberColumn(job.step),
    part: textColumn(job.place.part),
    cursor: textColumn(job.place.cursor),
    started_at: numberColumn(job.startedAt),
    updated_at: numberColumn(job.updatedAt),
    finished_at: numberColumn(job.finishedAt),
    key_id: job.keyId,
    sealed_anew: numberColumn(job.sealedAnew),
    already_current: numberColumn(job.alreadyCurrent),
    unreadable: numberColumn(job.unreadable),
    keys: jsonColumn(job.keys),
  };
}

function toJob({ rowKey, columns }: Row): RekeyJob {
  const read = columnReader(columns);
  return {
    id: rowKey,
    step: read.number('step'),
    place: { part: read.oneOf('part', rekeyParts), cursor: read.optionalText('cursor') },
    startedAt: read.number('started_at'),
    updatedAt: read.optionalNumber('updated_at') ?? read.number('started_at'),
    finishedAt: read.optionalNumber('finished_at'),
    keyId: read.text('key_id'),
    sealedAnew: read.number('sealed_anew'),
    alreadyCurrent: read.number('already_current'),
    unreadable: read.number('unreadable'),
    keys: read.json<RekeyJob['keys']>('keys') ?? {},
  };
}
