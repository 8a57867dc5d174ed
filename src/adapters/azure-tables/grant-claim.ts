import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Claim, ClaimResult, StoredGrant } from '../../ports/grant-store.ts';
import type { Surroundings } from './change-row.ts';
import { type Lease, rowOf, toLease, toLeaseColumns } from './grant-row.ts';
import { decodeGrant, type GrantTables, placeOfGrant, readGrant } from './grant-rows.ts';
import type { Row } from './table.ts';

export interface LeaseOptions extends Surroundings {
  readonly tables: GrantTables;
  readonly leaseMs: number;
}

/** The lease that a claim holds. */
export function leaseOf(stored: StoredGrant): Lease {
  return toLease(rowOf(stored).columns);
}

/** Whether somebody holds the lease, by storage's clock as of the read. */
export function isHeld(stored: StoredGrant, leaseMs: number): boolean {
  return leaseOf(stored).owner !== '' && rowOf(stored).ageMs < leaseMs;
}

const maxTries = 60;
const maxUnanswered = 3;

/** Takes the lease: see the port. */
export async function claimGrant(
  first: StoredGrant,
  isFresh: (current: StoredGrant) => boolean,
  options: LeaseOptions,
): Promise<ClaimResult> {
  const { clock, random, tables, leaseMs } = options;
  // One owner for all tries: whichever of them storage applied, even late, reading shows it to be ours.
  const ours = { owner: random.id(), attempt: random.id() };
  const reread = () => readGrant(tables, first.key);
  let current = isHeld(first, leaseMs) || !rowOf(first).isWhole ? await reread() : first;
  let sentAt = clock.now();
  let unanswered = 0;
  for (let tries = 1; tries <= maxTries; tries += 1) {
    if (current === undefined) return { kind: 'gone' };
    if (isFresh(current)) return { kind: 'fresh', stored: current };
    if (isHeld(current, leaseMs)) return { kind: 'busy', stored: current };
    const before = leaseOf(current);
    const isTakeover = before.owner !== '' || before.isOutcomeUnknown;
    // Only while the vanished holder's mark stands does the row's age say when that was.
    const interruptedMs = before.owner === '' ? Number.POSITIVE_INFINITY : rowOf(current).ageMs;
    const claimed = (stored: StoredGrant): ClaimResult => ({
      kind: 'claimed',
      claim: { stored, endsAt: sentAt + leaseMs, isTakeover, interruptedMs },
    });
    const written = await tryClaim(current, { ...before, ...ours, isOutcomeUnknown: isTakeover }, options);
    if (written === 'gone') return { kind: 'gone' };
    if (typeof written === 'object' && !(written instanceof BrokerError)) {
      return claimed(decodeGrant(placeOfGrant(tables, first.key).table, first.key, written));
    }
    if (written instanceof BrokerError) {
      unanswered += 1;
      if (unanswered >= maxUnanswered) throw written;
    }
    await clock.sleep(random.fraction() * Math.min(200, 10 * tries));
    const now = await reread();
    if (now !== undefined && leaseOf(now).owner === ours.owner) return claimed(now);
    // Once the row is another one, no earlier try can still be applied: the lease counts from the next.
    if (now === undefined || rowOf(now).etag !== rowOf(current).etag) sentAt = clock.now();
    current = now;
  }
  throw new BrokerError('storage_unavailable', 'Too many writers at once. Try again shortly.', {
    detail: `claim: ${maxTries} tries lost against others`,
    retryAfterSeconds: 1,
  });
}

async function tryClaim(
  current: StoredGrant,
  lease: Lease,
  { tables }: LeaseOptions,
): Promise<Row | 'changed' | 'gone' | BrokerError> {
  try {
    return await placeOfGrant(tables, current.key).table.merge(rowOf(current), toLeaseColumns(lease));
  } catch (error) {
    if (hasCode(error, 'storage_unavailable')) return error;
    throw error;
  }
}

/**
 * Ends the lease, if it is still ours, and nothing else: that an earlier holder vanished stays on record. Best effort.
 * `latest` is the row where it was read again since the claim.
 */
export async function releaseClaim(
  claim: Claim,
  { tables }: LeaseOptions,
  latest: StoredGrant = claim.stored,
): Promise<void> {
  const { table } = placeOfGrant(tables, claim.stored.key);
  const { owner } = leaseOf(claim.stored);
  try {
    let current: StoredGrant | undefined = latest;
    for (let tries = 1; tries <= 3 && current !== undefined; tries += 1) {
      const lease = leaseOf(current);
      if (lease.owner !== owner) return;
      const written = await table.merge(rowOf(current), toLeaseColumns({ ...lease, owner: '', attempt: '' }));
      if (written !== 'changed') return;
      current = await readGrant(tables, claim.stored.key);
    }
  } catch (error) {
    // The lease ends by itself.
    if (!hasCode(error, 'storage_unavailable', 'internal_error')) throw error;
  }
}
