import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Columns } from './columns.ts';
import type { Place, Row, Table } from './table.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Names the last changes of a row, newest first, so that a writer who got no answer can tell by reading whether its
 * change was applied, even when others have changed the row since.
 */
const writeIdsColumn = 'write_ids';
const writeIdsKept = 32;
const writeIdBytes = 6;

const maxTries = 60;
const maxUnanswered = 3;

/**
 * Reads, lets `decide` say what to write, writes if nobody else wrote in between, and begins again if somebody did. A
 * row that does not exist is inserted when `decide` gives columns for it. Undefined from `decide`: nothing is written.
 * Resolves to the row as it is now.
 */
export async function changeRow(
  table: Table,
  place: Place,
  decide: (current: Row | undefined) => Promise<Columns | undefined>,
  { clock, random }: Surroundings,
): Promise<Row | undefined> {
  const writeId = random.token(writeIdBytes);
  let unanswered = 0;
  let hasWritten = false;
  for (let tries = 1; tries <= maxTries; tries += 1) {
    const current = await table.read(place);
    const writeIds = writeIdsOf(current);
    if (hasWritten && writeIds.includes(writeId)) return current;
    const columns = await decide(current);
    if (columns === undefined) return current;
    hasWritten = true;
    const named = { ...columns, [writeIdsColumn]: [writeId, ...writeIds].slice(0, writeIdsKept).join(' ') };
    const written = await tryWrite(table, place, current, named);
    if (typeof written === 'object' && !(written instanceof BrokerError)) return written;
    if (written instanceof BrokerError) {
      unanswered += 1;
      if (unanswered >= maxUnanswered) throw written;
    }
    await clock.sleep(random.fraction() * Math.min(200, 10 * tries));
  }
  throw new BrokerError('storage_unavailable', 'Too many writers at once. Try again shortly.', {
    detail: `change ${table.name}: ${maxTries} writes lost against others`,
    retryAfterSeconds: 1,
  });
}

function writeIdsOf(row: Row | undefined): readonly string[] {
  return String(row?.columns[writeIdsColumn] ?? '')
    .split(' ')
    .filter((id) => id !== '');
}

async function tryWrite(
  table: Table,
  place: Place,
  current: Row | undefined,
  columns: Columns,
): Promise<Row | 'exists' | 'changed' | 'gone' | BrokerError> {
  try {
    return current === undefined ? await table.insert(place, columns) : await table.merge(current, columns);
  } catch (error) {
    if (hasCode(error, 'storage_unavailable')) return error;
    throw error;
  }
}

/**
 * Inserts a row that must be new. Resolves to false when there is one already; one that our own unanswered try has
 * left counts as ours.
 */
export async function insertRow(
  table: Table,
  place: Place,
  columns: Columns,
  { random }: Surroundings,
): Promise<boolean> {
  const writeId = random.token(writeIdBytes);
  const inserted = await table.insert(place, { ...columns, [writeIdsColumn]: writeId });
  if (inserted !== 'exists') return true;
  return writeIdsOf(await table.read(place)).includes(writeId);
}

/** Whether a row is the one that was seen before, changed or not, and not one that was created since in its place. */
function descendsFrom(current: Row, before: Row): boolean {
  const known = writeIdsOf(before);
  return known.length === 0 || writeIdsOf(current).some((id) => known.includes(id));
}

/**
 * Deletes a row whoever wrote it last, if `isWanted` says so of what is there. Resolves to the row as it was deleted,
 * or undefined when there was none. A delete that got no answer is resolved by reading.
 */
export async function removeRow(
  table: Table,
  place: Place,
  isWanted: (current: Row) => boolean = () => true,
): Promise<Row | undefined> {
  let last: Row | undefined;
  let unanswered = 0;
  for (let tries = 1; tries <= maxTries; tries += 1) {
    try {
      const current = await table.read(place);
      // Gone after we have seen it: our own unanswered delete, or somebody else's. Cleaning up twice does no harm.
      if (current === undefined || (last !== undefined && !descendsFrom(current, last))) return last;
      if (!isWanted(current)) return undefined;
      last = current;
      if ((await table.remove(current)) !== 'changed') return current;
    } catch (error) {
      // Before anything was deleted nothing is in doubt.
      if (last === undefined || !hasCode(error, 'storage_unavailable')) throw error;
      unanswered += 1;
      if (unanswered >= maxUnanswered) throw error;
    }
  }
  throw new BrokerError('storage_unavailable', 'Too many writers at once. Try again shortly.', {
    detail: `delete ${table.name}: ${maxTries} tries lost against others`,
    retryAfterSeconds: 1,
  });
}
