import { z } from 'zod';
import { isPlatformCaller } from '../../domain/caller.ts';
import { errorCodes } from '../../domain/errors.ts';
import { GLOBAL } from '../../domain/ids.ts';
import { inspect } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { iso, isoTime, jobIdQuery } from '../schemas/fields.ts';

const refreshJob = z
  .object({
    job_id: z.string(),
    trigger: z.enum(['automatic', 'manual']),
    started_at: isoTime,
    finished_at: isoTime.nullable(),
    state: z.enum(['running', 'finished']).meta({
      description: 'Finished: all grants are accounted for, or nothing has been heard of the job for two hours',
    }),
    due: z.number().meta({
      description:
        'Grants that it found. Where one organisation looks at a sweep over all of them: its own that were worked on so far',
    }),
    refreshed: z.number(),
    skipped: z.number().meta({ description: 'Grants that needed no refresh any more, or that nobody uses' }),
    failed: z.number().meta({ description: 'Grants that could not be refreshed; errors says why' }),
    unaccounted: z.number().meta({
      description:
        'Grants of which nothing has been heard. Of a finished job: the next sweep takes up those that are due',
    }),
    errors: z.array(z.object({ connection_name: z.string(), org_id: z.string(), code: z.enum(errorCodes) })),
  })
  .meta({ id: 'RefreshJob' });

export const refreshJobStatus = defineRoute({
  name: 'refresh-job-status',
  method: 'GET',
  path: '/oauth/refresh_job_status',
  tag: 'Operations',
  summary: 'See what a refresh job has done, or the newest',
  permission: inspect,
  audit: 'none',
  request: {
    query: z.strictObject({ job_id: jobIdQuery }),
  },
  responses: {
    200: { description: 'The job so far. Errors are those of the organisation, the first 100', schema: refreshJob },
  },
  errors: ['validation_failed', 'job_not_found'],
  handle: async (broker, { query, org, caller }) => {
    const seesAll = org === GLOBAL && isPlatformCaller(caller);
    const job = await broker.getRefreshJob({ org, seesAll, jobId: query.job_id ?? null });
    const json: z.input<typeof refreshJob> = {
      job_id: job.id,
      trigger: job.trigger,
      started_at: new Date(job.startedAt).toISOString(),
      finished_at: iso(job.finishedAt),
      state: job.state,
      due: job.due,
      refreshed: job.refreshed,
      skipped: job.skipped,
      failed: job.failed,
      unaccounted: Math.max(0, job.due - job.refreshed - job.skipped - job.failed),
      errors: job.errors.map((error) => ({ connection_name: error.connection, org_id: error.org, code: error.code })),
    };
    return { status: 200, json };
  },
});
