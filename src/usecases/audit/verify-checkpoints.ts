import { dayOf, startOfDay } from '../../domain/audit.ts';
import { type AuditCheckpoint, type ChainHead, checkpointDigest, type Sha256 } from '../../domain/audit-chain.ts';

export interface CheckpointScope {
  readonly now: number;
  /** The months whose heads were read whole. */
  readonly months: readonly string[];
  readonly sha256: Sha256;
}

const dayMs = 24 * 60 * 60 * 1000;
/** The reconcile makes yesterday's checkpoint once a day; one more day, and it is late. */
const lateDays = 3;

/** What is wrong between checkpoints, and between them and the heads of their days. */
export function checkpointProblems(
  checkpoints: readonly AuditCheckpoint[],
  heads: readonly ChainHead[],
  { now, months, sha256 }: CheckpointScope,
): readonly string[] {
  const problems: string[] = [];
  const ofDay = Map.groupBy(heads, ({ day }) => day);
  const isInScope = (day: string) => months.includes(day.slice(0, 6));
  let before: AuditCheckpoint | undefined;
  for (const checkpoint of checkpoints) {
    const { day, prev, digest } = checkpoint;
    const follows = before === undefined ? prev === '' : prev === before.digest && day === dayAfter(before.day);
    if (!follows)
      problems.push(`the checkpoint of ${day} does not follow the one before it: one is missing or changed`);
    if (isInScope(day) && checkpointDigest(day, prev, ofDay.get(day) ?? [], sha256) !== digest) {
      problems.push(`the heads of ${day} are not those of its checkpoint: one was removed, changed or put in`);
    }
    before = checkpoint;
  }
  const due = dayOf(now - lateDays * dayMs);
  const last = before?.day ?? '';
  const missed = [...ofDay.keys()].filter((day) => isInScope(day) && day > last && day <= due).sort();
  if (missed.length > 0) problems.push(`the checkpoints of ${missed[0]} and of what followed are missing`);
  return problems;
}

function dayAfter(day: string): string {
  return dayOf(startOfDay(day) + dayMs);
}
