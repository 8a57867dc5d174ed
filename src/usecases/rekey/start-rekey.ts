import type { Dependencies } from '../dependencies.ts';

/** One step of a rekey job, as the queue carries it. */
export interface RekeyStep {
  readonly jobId: string;
  readonly step: number;
}

export type StartRekey = () => Promise<RekeyStep>;

/**
 * Begins to seal everything anew with the ring's first key, which is read afresh: it may be minutes old. A job for that
 * key that has not ended is taken up where it is: its next step may have been lost with the queue, and said twice it
 * does no harm. Resolves to the step that is to go on the queue. Throws `vault_unavailable` and `misconfigured` when the
 * keys cannot be read, `storage_unavailable`.
 */
export function createStartRekey({
  clock,
  grants,
  rekeyJobs,
  logger,
}: Pick<Dependencies, 'clock' | 'grants' | 'rekeyJobs' | 'logger'>): StartRekey {
  return async () => {
    const keyId = await grants.sealingKey({ fresh: true });
    const latest = await rekeyJobs.latest();
    const isUnderWay = latest?.finishedAt === null && latest.keyId === keyId;
    const job = isUnderWay ? latest : await rekeyJobs.begin({ startedAt: clock.now(), keyId });
    logger.info(isUnderWay ? 'rekey_taken_up' : 'rekey_started', { job_id: job.id, step: job.step, key_id: keyId });
    return { jobId: job.id, step: job.step };
  };
}

/** Resolves to the next step of the newest job while it has not ended, else to null. */
export function createUnfinishedRekey({ rekeyJobs }: Pick<Dependencies, 'rekeyJobs'>): () => Promise<RekeyStep | null> {
  return async () => {
    const job = await rekeyJobs.latest();
    return job?.finishedAt === null ? { jobId: job.id, step: job.step } : null;
  };
}
