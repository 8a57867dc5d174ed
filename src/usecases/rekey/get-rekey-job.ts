import { BrokerError } from '../../domain/errors.ts';
import type { RekeyJob } from '../../domain/rekey-job.ts';
import type { Dependencies } from '../dependencies.ts';

export type GetRekeyJob = (jobId: string | null) => Promise<RekeyJob>;

/** Gives a job, or the newest. Throws `job_not_found`. */
export function createGetRekeyJob({ rekeyJobs }: Pick<Dependencies, 'rekeyJobs'>): GetRekeyJob {
  return async (jobId) => {
    const job = jobId === null ? await rekeyJobs.latest() : await rekeyJobs.get(jobId);
    if (job !== undefined) return job;
    throw new BrokerError(
      'job_not_found',
      jobId === null ? 'There has been no rekey job yet.' : 'There is no such job.',
    );
  };
}
