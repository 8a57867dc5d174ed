import { monthAfter, monthOf, oldestKeptMonth } from '../../domain/audit.ts';
import type { AuditCheckpoint, ChainHead } from '../../domain/audit-chain.ts';
import type { Dependencies } from '../dependencies.ts';
import { createChainBook } from './chain-book.ts';
import { checkpointProblems } from './verify-checkpoints.ts';

export interface VerifiedMonth {
  readonly month: string;
  readonly chains: number;
  readonly records: number;
  readonly problems: readonly string[];
}

export interface AuditVerification {
  readonly months: readonly VerifiedMonth[];
  readonly checkpoints: { readonly count: number; readonly problems: readonly string[] };
}

/** `month` null: every month that is still kept. */
export type VerifyAudit = (month: string | null) => Promise<AuditVerification>;

type Needs = Pick<Dependencies, 'auditLog' | 'clock' | 'digest'> & {
  readonly policy: Pick<Dependencies['policy'], 'auditRetentionDays'>;
};

/** So long before its writing may the time of a record lie, which it gets before it waits for storage. */
const onTheirWayMs = 60_000;

/**
 * Computes every hash anew and holds records, heads and checkpoints against each other. What is older than the
 * retention is not missed. Holds the hashes of one month in memory. Throws `storage_unavailable`.
 */
export function createVerifyAudit(needs: Needs): VerifyAudit {
  const { auditLog, clock, policy } = needs;
  return async (month) => {
    const now = clock.now();
    const youngSince = now - onTheirWayMs;
    const oldest = oldestKeptMonth(now, policy.auditRetentionDays);
    const wanted = monthsFrom(oldest, monthOf(now)).filter((each) => month === null || each === month);
    const heads: ChainHead[] = [];
    // The end of a month's chain is written in the next month where the process lived on, or slept.
    for (const each of monthsFrom(wanted[0] ?? monthOf(now), monthOf(now)))
      heads.push(...(await auditLog.headsOf(each)));
    const months: VerifiedMonth[] = [];
    for (const each of wanted) months.push(await verifyMonth(needs, each, heads, youngSince));
    const checkpoints = await auditLog.checkpoints();
    const problems = checkpointProblems(checkpoints, heads, {
      now,
      months: wanted,
      sha256: needs.digest.sha256Base64url,
    });
    return { months, checkpoints: { count: countOf(checkpoints, wanted), problems } };
  };
}

async function verifyMonth(
  { auditLog, digest, clock }: Needs,
  month: string,
  heads: readonly ChainHead[],
  youngSince: number,
): Promise<VerifiedMonth> {
  const book = createChainBook(digest.sha256Base64url);
  // Heads are read before the records: what is written meanwhile is beyond them, and not missed. It may be seen in
  // parts, as a chain runs through the partitions of several organisations, which are read one after the other.
  for await (const stored of auditLog.recordsOf(month)) book.enter(stored);
  const early = heads.filter((head) => head.month === month);
  const late = (await lateHeads({ auditLog, clock }, early)).filter((head) => head.month === month);
  const problems = book.problems([...early, ...late], youngSince);
  return { month, chains: book.chains(), records: book.records(), problems };
}

/** Of chains that have begun meanwhile: that they are there, not how far they are. */
async function lateHeads(
  { auditLog, clock }: Pick<Needs, 'auditLog' | 'clock'>,
  early: readonly ChainHead[],
): Promise<readonly ChainHead[]> {
  const known = new Set(early.map(({ chain }) => chain));
  const now = await auditLog.headsOf(monthOf(clock.now()));
  return now.filter(({ chain }) => !known.has(chain)).map((head) => ({ ...head, seq: -1, hash: '', isClosed: false }));
}

function monthsFrom(first: string, last: string): readonly string[] {
  const months: string[] = [];
  for (let month = first; month <= last; month = monthAfter(month)) months.push(month);
  return months;
}

function countOf(checkpoints: readonly AuditCheckpoint[], months: readonly string[]): number {
  return checkpoints.filter(({ day }) => months.includes(day.slice(0, 6))).length;
}
