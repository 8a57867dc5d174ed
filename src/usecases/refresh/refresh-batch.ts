import { isDue, postponedDueAt } from '../../domain/due.ts';
import { BrokerError, type ErrorCode, hasCode } from '../../domain/errors.ts';
import { type Grant, type GrantKey, withoutTokens } from '../../domain/grant.ts';
import { canRefresh } from '../../domain/grant-status.ts';
import type { RefreshCounts, RefreshFigures } from '../../domain/refresh-job.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GrantRefresher } from './refresh-grant.ts';
import type { RefreshBatch } from './sweep.ts';

export type WorkBatch = (batch: RefreshBatch) => Promise<RefreshCounts>;

type Needs = Pick<Dependencies, 'clock' | 'random' | 'connections' | 'grants' | 'jobs' | 'policy' | 'logger'> & {
  readonly refresher: GrantRefresher;
};

type Outcome = { readonly kind: 'refreshed' | 'skipped' } | { readonly kind: 'failed'; readonly code: ErrorCode };

/**
 * Refreshes the grants of a batch side by side; one that fails does not hold up the others. Delivered twice, it finds
 * them fresh. Resolves to what it did, which it also notes with the job.
 */
export function createWorkBatch(needs: Needs): WorkBatch {
  return async (batch) => {
    const outcomes = await Promise.all(
      batch.grants.map(async (key) => ({ key, outcome: await workOne(needs, batch, key) })),
    );
    const counts = countUp(outcomes);
    await needs.jobs.batchDone(batch.jobId, batch.batch, counts, needs.clock.now());
    return counts;
  };
}

async function workOne(needs: Needs, batch: RefreshBatch, key: GrantKey): Promise<Outcome> {
  try {
    const found = await needs.connections.get({ org: key.connectionOrg, name: key.connection });
    const stored = key.userId === null ? found?.own : await needs.grants.read(key);
    if (found === undefined || stored?.grant.endpointsId !== found.connection.endpointsId) {
      await emptyDeadGrant(needs, key, found?.connection.endpointsId ?? '');
      return { kind: 'skipped' };
    }
    if (!canRefresh(stored.grant, found.connection.config.flowType)) return { kind: 'skipped' };
    if (await postponed(needs, batch, stored)) return { kind: 'skipped' };
    const result = await needs.refresher.refresh({
      connection: found.connection,
      stored,
      isFresh: (current) => !isStillWanted(needs, batch, current),
      waitMs: 0,
      isSweep: batch.trigger === 'automatic',
    });
    return { kind: result.isRefreshed ? 'refreshed' : 'skipped' };
  } catch (error) {
    if (hasCode(error, 'refresh_in_progress', 'provider_paused')) return { kind: 'skipped' };
    if (error instanceof BrokerError) return { kind: 'failed', code: error.code };
    needs.logger.error('refresh_crashed', { org: key.org, connection: key.connection, cause: error });
    return { kind: 'failed', code: 'internal_error' };
  }
}

/** The tokens of a user whose connection is gone, or has moved to other endpoints, serve nobody any more. */
async function emptyDeadGrant(needs: Needs, key: GrantKey, endpointsId: string): Promise<void> {
  if (key.userId === null) return;
  const generation = needs.random.id();
  await needs.grants.update(key, (current) =>
    current === undefined || current.grant.endpointsId === endpointsId
      ? undefined
      : { grant: withoutTokens(current.grant, generation, endpointsId), tokens: null },
  );
}

/** Puts off a grant that nobody uses, so that the next sweeps do not meet it. */
async function postponed(needs: Needs, { trigger }: RefreshBatch, stored: StoredGrant): Promise<boolean> {
  const now = needs.clock.now();
  const to = (grant: Grant) => (isDue(grant, now) ? postponedDueAt(grant, now, needs.policy) : undefined);
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

interface Worked {
  readonly key: GrantKey;
  readonly outcome: Outcome;
}

function countUp(worked: readonly Worked[]): RefreshCounts {
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
