import { BrokerError } from '../../domain/errors.ts';
import type { OrgId } from '../../domain/ids.ts';
import { jobOf, mostErrors, type RefreshJob } from '../../domain/refresh-job.ts';
import type { Dependencies } from '../dependencies.ts';

/** `seesAll`: a platform caller sees what was done for every organisation. */
export type GetRefreshJob = (request: {
  readonly org: OrgId;
  readonly seesAll: boolean;
  readonly jobId: string | null;
}) => Promise<RefreshJob>;

/** Gives a job, or the newest, with its first errors. Throws `job_not_found`, also for a job of another organisation. */
export function createGetRefreshJob({ jobs }: Pick<Dependencies, 'jobs'>): GetRefreshJob {
  return async ({ org, seesAll, jobId }) => {
    const job = jobId === null ? await jobs.latest(org) : await jobs.get(jobId);
    if (job === undefined || !(seesAll || job.org === null || job.org === org)) {
      throw new BrokerError(
        'job_not_found',
        jobId === null ? 'There has been no refresh job yet.' : 'There is no such job.',
      );
    }
    const visible = seesAll || job.org === org ? job : jobOf(job, org);
    return { ...visible, errors: visible.errors.slice(0, mostErrors) };
  };
}
