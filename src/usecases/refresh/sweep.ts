import { type GrantKey, serverOf } from '../../domain/grant.ts';
import type { OrgId } from '../../domain/ids.ts';
import type { RefreshJob } from '../../domain/refresh-job.ts';
import type { DueEntry } from '../../ports/due-index.ts';
import { everyGrant, grantsOf } from '../connections/walk-grants.ts';
import type { Dependencies } from '../dependencies.ts';

/** A part of a sweep that one process works through. It names grants and holds nothing secret. */
export interface RefreshBatch {
  readonly jobId: string;
  readonly batch: number;
  readonly trigger: RefreshJob['trigger'];
  readonly startedAt: number;
  readonly grants: readonly BatchGrant[];
}

export interface BatchGrant {
  readonly key: GrantKey;
  /** The time of the due index's entry that named it. Null: it was found without. */
  readonly at: number | null;
}

export interface StartedSweep {
  readonly jobId: string;
  readonly batches: readonly RefreshBatch[];
}

export interface SweepRequest {
  readonly trigger: RefreshJob['trigger'];
  /** Null: every organisation. */
  readonly org: OrgId | null;
}

export type StartSweep = (request: SweepRequest) => Promise<StartedSweep>;

type Needs = Pick<Dependencies, 'clock' | 'connections' | 'grants' | 'dueIndex' | 'jobs' | 'logger'>;

const batchSize = 16;
/** All that one sweep dispatches is in memory at once. A million grants have some 125,000 due in half an hour. */
const mostGrants = 200_000;
/** A shard may be cut off before the whole is. */
const nearlyFull = 0.9;

/**
 * Begins a sweep: finds what the due index says is due, or for a manual one every grant that can be refreshed, and
 * deals it into batches of one authorization server each. It reads no grant of an automatic sweep, and refreshes
 * nothing itself. Of what is due, an automatic one takes about `most` grants: the rest stays in the index for the next.
 * Throws `storage_unavailable`.
 */
export function createStartSweep(needs: Needs, most = mostGrants): StartSweep {
  return async (request) => {
    const { trigger, org } = request;
    const startedAt = needs.clock.now();
    const jobId = await needs.jobs.begin({ trigger, org, startedAt });
    const dealt = createDealer();
    let due = 0;
    for await (const { server, ...grant } of wanted(needs, request, startedAt, most)) {
      due += 1;
      dealt.add(server, grant);
    }
    const batches = [...dealt.batches()].map((grants, batch) => ({ jobId, batch, trigger, startedAt, grants }));
    await needs.jobs.dispatched(jobId, { due, batches: batches.length });
    if (trigger === 'automatic' && due >= most * nearlyFull)
      needs.logger.warn('sweep_nearly_full', { job_id: jobId, due, most });
    needs.logger.info('sweep_started', { job_id: jobId, trigger, due, batches: batches.length });
    return { jobId, batches };
  };
}

async function* wanted(
  needs: Needs,
  { trigger, org }: SweepRequest,
  startedAt: number,
  most: number,
): AsyncGenerator<BatchGrant & Pick<DueEntry, 'server'>> {
  if (trigger === 'automatic') {
    for await (const entries of needs.dueIndex.due(startedAt, most)) yield* entries;
    return;
  }
  for await (const { key, grant } of org === null ? everyGrant(needs) : grantsOf(needs, org)) {
    if (grant.hasRefreshToken || grant.status === 'completed') yield { key, at: null, server: serverOf(grant) };
  }
}

/** Deals grants into batches, one authorization server each. */
function createDealer() {
  const servers = new Map<string, BatchGrant[][]>();
  return {
    add(server: string, grant: BatchGrant): void {
      const batches = servers.get(server) ?? [];
      const last = batches.at(-1);
      if (last !== undefined && last.length < batchSize) last.push(grant);
      else batches.push([grant]);
      servers.set(server, batches);
    },
    /** In turn, one of each server: many grants of one that is slow must not stand before the few of the others. */
    *batches(): Generator<readonly BatchGrant[]> {
      let left = [...servers.values()].map((batches) => batches.values());
      while (left.length > 0) {
        const going: typeof left = [];
        for (const batches of left) {
          const { value, done } = batches.next();
          if (done) continue;
          yield value;
          going.push(batches);
        }
        left = going;
      }
    },
  };
}
