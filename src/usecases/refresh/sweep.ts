import { isDue } from '../../domain/due.ts';
import type { GrantKey } from '../../domain/grant.ts';
import type { OrgId } from '../../domain/ids.ts';
import type { RefreshJob } from '../../domain/refresh-job.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { everyGrant, grantsOf } from '../connections/walk-grants.ts';
import type { Dependencies } from '../dependencies.ts';

/** A part of a sweep that one process works through. It names grants and holds nothing secret. */
export interface RefreshBatch {
  readonly jobId: string;
  readonly batch: number;
  readonly trigger: RefreshJob['trigger'];
  readonly startedAt: number;
  readonly grants: readonly GrantKey[];
}

export interface StartedSweep {
  readonly jobId: string;
  readonly batches: readonly RefreshBatch[];
}

/** `org` null: every organisation. */
export type StartSweep = (request: {
  readonly trigger: RefreshJob['trigger'];
  readonly org: OrgId | null;
}) => Promise<StartedSweep>;

type Needs = Pick<Dependencies, 'clock' | 'connections' | 'grants' | 'jobs' | 'policy' | 'logger'>;

const batchSize = 16;

/**
 * Begins a sweep: finds the grants that are due, or for a manual one every grant that holds a refresh token, and
 * deals them into batches. It refreshes nothing itself. Throws `storage_unavailable`.
 */
export function createStartSweep(needs: Needs): StartSweep {
  return async ({ trigger, org }) => {
    const startedAt = needs.clock.now();
    const jobId = await needs.jobs.begin({ trigger, org, startedAt });
    const isWanted = ({ grant }: StoredGrant) =>
      trigger === 'automatic'
        ? isDue(grant, startedAt, needs.policy)
        : grant.hasRefreshToken || grant.status === 'completed';
    const keys: GrantKey[] = [];
    for await (const stored of org === null ? everyGrant(needs) : grantsOf(needs, org)) {
      if (isWanted(stored)) keys.push(stored.key);
    }
    const batches = inBatches(keys).map((grants, batch) => ({ jobId, batch, trigger, startedAt, grants }));
    await needs.jobs.dispatched(jobId, { due: keys.length, batches: batches.length });
    needs.logger.info('sweep_started', { job_id: jobId, trigger, due: keys.length, batches: batches.length });
    return { jobId, batches };
  };
}

function inBatches(keys: readonly GrantKey[]): readonly (readonly GrantKey[])[] {
  const count = Math.ceil(keys.length / batchSize);
  return Array.from({ length: count }, (_, index) => keys.slice(index * batchSize, (index + 1) * batchSize));
}
