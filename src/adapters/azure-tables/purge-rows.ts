import type { PurgedPage } from '../../ports/purged-page.ts';
import { walkTable } from './continuation.ts';
import type { Query, Row, Table } from './table.ts';

const pageSize = 500;
const atOnce = 16;

/** Deletes the rows that a query finds, a page at a time. A row that is changed meanwhile is left. */
export async function* purgeRows(
  table: Table,
  query: Pick<Query, 'partitionKey' | 'and'>,
  start: string | null,
): AsyncGenerator<PurgedPage> {
  for await (const { rows, cursor } of walkTable(table, { ...query, select: [] }, start, { limit: pageSize })) {
    yield { removed: await removeAll(table, rows), cursor };
  }
}

/** The same for all pages at once: only where the rows are few. Resolves to how many there were. */
export async function purgeWhole(table: Table, query: Pick<Query, 'partitionKey' | 'and'>): Promise<number> {
  let removed = 0;
  for await (const page of purgeRows(table, query, null)) removed += page.removed;
  return removed;
}

async function removeAll(table: Table, rows: readonly Row[]): Promise<number> {
  let removed = 0;
  for (let start = 0; start < rows.length; start += atOnce) {
    const outcomes = await Promise.all(rows.slice(start, start + atOnce).map((row) => table.remove(row)));
    removed += outcomes.filter((outcome) => outcome === 'removed').length;
  }
  return removed;
}
