import {
  type ReconcileFigures,
  type ReconcileRound,
  reconcilePhases,
  sumReconcileFigures,
} from '../../domain/reconcile-round.ts';
import type { ReconcileStore } from '../../ports/reconcile-store.ts';
import { changeRow, type Surroundings } from './change-row.ts';
import { type Columns, columnReader, jsonColumn, numberColumn, textColumn } from './columns.ts';
import { decodeRow } from './malformed-rows.ts';
import type { Row, Table } from './table.ts';

export interface ReconcileStoreOptions extends Surroundings {
  readonly table: Table;
}

const place = { partitionKey: 'reconcile', rowKey: 'round' };

/** How far the reconcile is: one row, that each round writes over. */
export function createReconcileStore(options: ReconcileStoreOptions): ReconcileStore {
  const { table } = options;

  return {
    async read() {
      const row = await table.read(place);
      return row && decodeRow(table, row, toRound);
    },

    async write(round) {
      let isNext = false;
      const decide = async (current: Row | undefined) => {
        const step = current === undefined ? 0 : decodeRow(table, current, toRound).step;
        isNext = round.step === step + 1;
        return isNext ? toRoundColumns(round) : undefined;
      };
      await changeRow(table, place, decide, options);
      return isNext;
    },
  };
}

function toRoundColumns(round: ReconcileRound): Columns {
  return {
    step: numberColumn(round.step),
    started_at: numberColumn(round.startedAt),
    ended_at: numberColumn(round.endedAt),
    phase: textColumn(round.phase),
    cursor: textColumn(round.cursor),
    figures: jsonColumn(round.figures),
  };
}

function toRound({ columns }: Row): ReconcileRound {
  const read = columnReader(columns);
  return {
    step: read.number('step'),
    startedAt: read.number('started_at'),
    endedAt: read.optionalNumber('ended_at'),
    phase: read.oneOf('phase', reconcilePhases),
    cursor: read.optionalText('cursor'),
    figures: sumReconcileFigures([read.json<Partial<ReconcileFigures>>('figures') ?? {}]),
  };
}
