import assert from 'node:assert/strict';
import { hasCode } from '../../domain/errors.ts';
import type { Grant } from '../../domain/grant.ts';
import type { Claim, CommitResult, GrantChange, StoredGrant } from '../../ports/grant-store.ts';
import type { Columns } from './columns.ts';
import { isHeld, type LeaseOptions, leaseOf, releaseClaim } from './grant-claim.ts';
import { rowOf, toGrantColumns, toLeaseColumns } from './grant-row.ts';
import { decodeGrant, placeOfGrant, readGrant } from './grant-rows.ts';
import type { SealingKeyring } from './sealed-columns.ts';
import { sealTokens } from './sealed-place.ts';

export interface CommitOptions extends LeaseOptions {
  readonly keyring: SealingKeyring;
}

const firstPauseMs = 50;
const longestPauseMs = 2000;
const attemptsKept = 8;

/** What a refresh leaves as it finds it, unless it says otherwise: somebody else may have changed it meanwhile. */
const othersColumns: readonly string[] = ['generation', 'grant_endpoints_id', 'last_used_at', 'pending'];

/** What is to be written, and what it builds on. */
interface Outcome {
  readonly base: Grant;
  readonly owner: string;
  readonly attempt: string;
  readonly columns: Columns;
  /** A new token set, not a failure. */
  readonly isSuccess: boolean;
  readonly isOutcomeUnknown: boolean;
}

/** Writes the outcome under the claim: see the port, and "One refresh path" for the cases. */
export async function commitGrant(claim: Claim, change: GrantChange, options: CommitOptions): Promise<CommitResult> {
  const { clock, leaseMs } = options;
  const outcome = await toOutcome(claim, change, options);
  // Whoever took over needs about this long to learn what the provider says.
  const waitUntil = Math.max(claim.endsAt, clock.now()) + leaseMs / 3;
  let current = claim.stored;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const verdict = verdictOn(current, outcome, leaseMs);
    if (verdict === 'committed') return { kind: 'committed', stored: current };
    if (verdict === 'superseded' || (verdict === 'wait' && clock.now() >= waitUntil)) {
      await releaseClaim(claim, options, current);
      return { kind: 'superseded', stored: current };
    }
    const written = verdict === 'write' ? await tryCommit(current, outcome, options) : 'waiting';
    if (written === 'gone') return { kind: 'gone' };
    if (typeof written === 'object') return { kind: 'committed', stored: written };
    if (written !== 'changed') await clock.sleep(pauseMs);
    const now = await readUntil(verdict === 'wait' ? waitUntil : claim.endsAt, claim, options);
    if (now === 'unanswered') return { kind: 'unknown' };
    if (now === undefined) return { kind: 'gone' };
    const isOpen = written === 'unanswered' && verdictOn(now, outcome, leaseMs) === 'write';
    if (isOpen && clock.now() >= claim.endsAt) return { kind: 'unknown' };
    current = now;
  }
}

async function toOutcome(claim: Claim, change: GrantChange, options: CommitOptions): Promise<Outcome> {
  const { grant, tokens, isOutcomeUnknown = false } = change;
  const { key, grant: base } = claim.stored;
  const { owner, attempt } = leaseOf(claim.stored);
  const isSuccess = grant.seq !== base.seq;
  assert(tokens !== undefined || (!isSuccess && grant.generation === base.generation), 'the tokens must be given');
  const before = toGrantColumns(base);
  const changed = Object.entries(toGrantColumns(grant)).filter(
    ([name, value]) => !othersColumns.includes(name) || value !== before[name],
  );
  const sealed = tokens === undefined ? {} : await sealTokens(options.keyring, key, grant, tokens);
  return { base, owner, attempt, isSuccess, isOutcomeUnknown, columns: { ...Object.fromEntries(changed), ...sealed } };
}

type Verdict = 'committed' | 'superseded' | 'write' | 'wait';

/** What the row, as it was read last, means for an outcome that may or may not have been written. */
function verdictOn(current: StoredGrant, outcome: Outcome, leaseMs: number): Verdict {
  const { base, owner, attempt, isSuccess } = outcome;
  const lease = leaseOf(current);
  const { generation, seq } = current.grant;
  if ([lease.committedAttempt, ...lease.earlierAttempts].includes(attempt)) return 'committed';
  if (generation !== base.generation || seq !== base.seq) return 'superseded';
  // A mere label was changed.
  if (lease.owner === owner) return 'write';
  // Somebody took over. For the same refresh token a success beats a failure, so theirs must be known first.
  if (!isSuccess) return 'superseded';
  return isHeld(current, leaseMs) ? 'wait' : 'write';
}

async function tryCommit(
  current: StoredGrant,
  outcome: Outcome,
  { tables }: CommitOptions,
): Promise<StoredGrant | 'changed' | 'gone' | 'unanswered'> {
  const { table } = placeOfGrant(tables, current.key);
  const lease = leaseOf(current);
  const earlierAttempts = [lease.committedAttempt, ...lease.earlierAttempts].filter((attempt) => attempt !== '');
  const leaseColumns = toLeaseColumns({
    owner: '',
    attempt: '',
    committedAttempt: outcome.attempt,
    earlierAttempts: earlierAttempts.slice(0, attemptsKept),
    isOutcomeUnknown: (lease.isOutcomeUnknown || outcome.isOutcomeUnknown) && !outcome.isSuccess,
  });
  try {
    const written = await table.merge(rowOf(current), { ...outcome.columns, ...leaseColumns });
    return typeof written === 'string' ? written : decodeGrant(table, current.key, written);
  } catch (error) {
    if (hasCode(error, 'storage_unavailable')) return 'unanswered';
    throw error;
  }
}

async function readUntil(
  untilMs: number,
  claim: Claim,
  { clock, tables }: CommitOptions,
): Promise<StoredGrant | undefined | 'unanswered'> {
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    try {
      return await readGrant(tables, claim.stored.key);
    } catch (error) {
      if (!hasCode(error, 'storage_unavailable')) throw error;
      if (clock.now() >= untilMs) return 'unanswered';
      await clock.sleep(pauseMs);
    }
  }
}
