import type { Connection } from '../../domain/connection.ts';
import { isDue, postponedDueAt } from '../../domain/due.ts';
import { BrokerError, type ErrorCode, hasCode } from '../../domain/errors.ts';
import type { Grant, GrantKey } from '../../domain/grant.ts';
import { canRefresh } from '../../domain/grant-status.ts';
import type { RefreshCounts, RefreshFigures } from '../../domain/refresh-job.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { profileOf } from '../connections/profile-of.ts';
import type { Dependencies } from '../dependencies.ts';
import { discardDeadGrant, isDead } from './dead-grants.ts';
import { isBehind, replaceEntry } from './due-entries.ts';
import { type GrantRefresher, providerOf } from './refresh-grant.ts';
import { refreshInProgress } from './refresh-in-progress.ts';
import type { BatchGrant, RefreshBatch } from './sweep.ts';

export type WorkBatch = (batch: RefreshBatch) => Promise<RefreshCounts>;

type Needs = Pick<
  Dependencies,
  'clock' | 'random' | 'connections' | 'grants' | 'dueIndex' | 'jobs' | 'providers' | 'gate' | 'policy' | 'logger'
> & {
  readonly refresher: GrantRefresher;
  readonly audit: Pick<AuditTrail, 'note'>;
};

type Outcome =
  | { readonly kind: 'refreshed' }
  | { readonly kind: 'skipped'; readonly isOpen?: boolean }
  | { readonly kind: 'failed'; readonly code: ErrorCode };

const skipped: Outcome = { kind: 'skipped' };
/** Somebody else was at it, or this process is stopping: what became of it is not known yet. */
const leftOpen: Outcome = { kind: 'skipped', isOpen: true };

/** Whoever holds a lease and lives is mostly done by then. */
const leaseWaitMs = 2000;

/**
 * Refreshes the grants of a batch side by side; one that fails does not hold up the others. Delivered twice, it finds
 * them fresh. Resolves to what it did, which it also notes with the job. Throws `refresh_in_progress` after that when
 * a grant was left to somebody else, who may yet vanish: the message has to come back.
 */
export function createWorkBatch(needs: Needs): WorkBatch {
  return async (batch) => {
    const found = await readBatch(needs, batch);
    const outcomes = await Promise.all(
      found.map(async (grant) => ({ key: grant.key, outcome: await workOne(needs, batch, grant) })),
    );
    const counts = countUp(outcomes);
    await needs.jobs.batchDone(batch.jobId, batch.batch, counts, needs.clock.now());
    if (outcomes.some(({ outcome }) => outcome === leftOpen)) throw refreshInProgress('a grant of the batch');
    return counts;
  };
}

interface FoundGrant extends BatchGrant {
  readonly ofUser: Promise<StoredGrant | undefined> | undefined;
  /** Read once for all of its users in the batch. */
  connection(): Promise<StoredConnection | undefined>;
}

/** Users' grants first: what their connection says afterwards is then the last word on them. */
async function readBatch(needs: Needs, { grants }: RefreshBatch): Promise<readonly FoundGrant[]> {
  const ofUsers = grants.map(({ key }) => (key.userId === null ? undefined : needs.grants.read(key)));
  await Promise.allSettled(ofUsers);
  const connections = new Map<string, Promise<StoredConnection | undefined>>();
  const read = ({ connectionOrg: org, connection: name }: GrantKey) => {
    const place = JSON.stringify([org, name]);
    const known = connections.get(place);
    if (known !== undefined) return known;
    const reading = needs.connections.get({ org, name });
    connections.set(place, reading);
    // Whoever waits for it fails with it, and no one else.
    reading.catch(() => connections.delete(place));
    return reading;
  };
  return grants.map((grant, index) => ({ ...grant, ofUser: ofUsers[index], connection: () => read(grant.key) }));
}

async function workOne(needs: Needs, batch: RefreshBatch, { key, at, ...reading }: FoundGrant): Promise<Outcome> {
  try {
    const ofUser = await reading.ofUser;
    const found = await reading.connection();
    const stored = key.userId === null ? found?.own : ofUser;
    if (at !== null && !isBehind(stored, at)) await replaceEntry(needs, { key, at }, stored);
    if (stored === undefined) return skipped;
    if (found === undefined || isDead(stored, found.connection)) {
      if (key.userId !== null) await discardDeadGrant(needs, stored, found?.connection);
      return skipped;
    }
    return await refreshOne(needs, batch, found.connection, stored);
  } catch (error) {
    if (hasCode(error, 'refresh_in_progress')) return leftOpen;
    if (error instanceof BrokerError) {
      // A row that makes no sense, or that no key opens: only the log can say which it is and why.
      if (hasCode(error, 'internal_error', 'grant_unreadable')) {
        const { code, detail } = error;
        needs.logger.error('grant_not_refreshed', { org: key.org, connection: key.connection, code, detail });
      }
      return { kind: 'failed', code: error.code };
    }
    needs.logger.error('refresh_crashed', { org: key.org, connection: key.connection, cause: error });
    return { kind: 'failed', code: 'internal_error' };
  }
}

async function refreshOne(
  needs: Needs,
  batch: RefreshBatch,
  connection: Connection,
  stored: StoredGrant,
): Promise<Outcome> {
  if (await postponed(needs, batch, connection, stored)) return skipped;
  if (!canRefresh(stored.grant, connection.config.flowType)) return skipped;
  const refresh = () =>
    needs.refresher.refresh({
      connection,
      stored,
      isFresh: (current) => !isStillWanted(needs, batch, current),
      waitMs: leaseWaitMs,
      hasTime: true,
      mayWaitForLapse: true,
    });
  const result = await needs.gate.inBackground(providerOf(connection), refresh);
  return { kind: result.isRefreshed ? 'refreshed' : 'skipped' };
}

/** Puts off a grant that nobody uses, or that only a person can renew, so that the next sweeps do not meet it. */
async function postponed(
  needs: Needs,
  { trigger }: RefreshBatch,
  { config }: Connection,
  stored: StoredGrant,
): Promise<boolean> {
  const now = needs.clock.now();
  const to = (grant: Grant) => {
    if (!isDue(grant, now)) return undefined;
    return canRefresh(grant, config.flowType)
      ? postponedDueAt(grant, now, needs.policy, profileOf(needs, config).lives)
      : null;
  };
  if (trigger === 'manual' || to(stored.grant) === undefined) return false;
  await needs.grants.update(stored.key, (current) => {
    const dueAt = current === undefined ? undefined : to(current.grant);
    return current === undefined || dueAt === undefined ? undefined : { grant: { ...current.grant, dueAt } };
  });
  return true;
}

function isStillWanted({ clock }: Needs, { trigger, startedAt }: RefreshBatch, { grant }: StoredGrant): boolean {
  return trigger === 'automatic' ? isDue(grant, clock.now()) : (grant.lastRefreshAt ?? 0) < startedAt;
}

export interface Worked {
  readonly key: GrantKey;
  readonly outcome: Outcome;
}

/** The figures of a batch, in all and for each organisation. */
export function countUp(worked: readonly Worked[]): RefreshCounts {
  const errors = worked.flatMap(({ key, outcome }) =>
    outcome.kind === 'failed' ? [{ connection: key.connection, org: key.org, code: outcome.code }] : [],
  );
  const orgs = [...new Set(worked.map(({ key }) => key.org))];
  const byOrg = orgs.map((org) => [org, figuresOf(worked.filter(({ key }) => key.org === org))]);
  return { ...figuresOf(worked), errors, byOrg: Object.fromEntries(byOrg) };
}

function figuresOf(worked: readonly Worked[]): RefreshFigures {
  const count = (kind: Outcome['kind']) => worked.filter(({ outcome }) => outcome.kind === kind).length;
  return { refreshed: count('refreshed'), skipped: count('skipped'), failed: count('failed') };
}
