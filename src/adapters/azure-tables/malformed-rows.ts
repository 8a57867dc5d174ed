import { BrokerError } from '../../domain/errors.ts';
import { MalformedRowError } from './columns.ts';
import type { Row, Table } from './table.ts';

/** Told of a row that a listing had to leave out. */
export type OnMalformedRow = (row: {
  readonly table: string;
  readonly partitionKey: string;
  readonly rowKey: string;
  readonly problem: string;
}) => void;

/** Decodes one row. Throws `internal_error` when it makes no sense: the log says which row and column. */
export function decodeRow<Value>(table: Table, row: Row, decode: (row: Row) => Value): Value {
  try {
    return decode(row);
  } catch (error) {
    if (!(error instanceof MalformedRowError)) throw error;
    throw new BrokerError('internal_error', 'A stored record cannot be read.', {
      detail: `${table.name} ${row.partitionKey} ${row.rowKey}: ${error.message}`,
    });
  }
}

/** Decodes the rows of a listing. One that makes no sense is reported and left out: it must not block the others. */
export function decodeRows<Value>(
  table: Table,
  rows: readonly Row[],
  decode: (row: Row) => Value,
  onMalformedRow: OnMalformedRow,
): readonly Value[] {
  return rows.flatMap((row) => {
    try {
      return [decode(row)];
    } catch (error) {
      if (!(error instanceof MalformedRowError)) throw error;
      const { partitionKey, rowKey } = row;
      onMalformedRow({ table: table.name, partitionKey, rowKey, problem: error.message });
      return [];
    }
  });
}
