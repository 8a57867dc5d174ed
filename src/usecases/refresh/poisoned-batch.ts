import type { Dependencies } from '../dependencies.ts';
import { countUp } from './refresh-batch.ts';
import type { RefreshBatch } from './sweep.ts';

/** `batch` undefined: the message was none. */
export type ReportPoisoned = (batch: RefreshBatch | undefined) => Promise<void>;

/**
 * Reports a batch that the queue has given up, and notes its grants with the job as failed, so that the job ends. Their
 * entries in the due index stay: the next sweep takes them up again. Throws `storage_unavailable`.
 */
export function createReportPoisoned({
  clock,
  jobs,
  logger,
}: Pick<Dependencies, 'clock' | 'jobs' | 'logger'>): ReportPoisoned {
  return async (batch) => {
    if (batch === undefined) {
      logger.error('refresh_batch_poisoned', { job_id: null, batch: null, grants: 0 });
      return;
    }
    const { jobId, grants } = batch;
    logger.error('refresh_batch_poisoned', { job_id: jobId, batch: batch.batch, grants: grants.length });
    const failed = grants.map(({ key }) => ({ key, outcome: { kind: 'failed', code: 'internal_error' } as const }));
    await jobs.batchDone(jobId, batch.batch, countUp(failed), clock.now());
  };
}
