import { z } from 'zod';
import { isOldKeyInUse } from '../../domain/rekey-job.ts';
import { assertForPlatform } from '../http/platform.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { iso, isoTime, jobIdQuery } from '../schemas/fields.ts';

const rekeyJob = z
  .object({
    job_id: z.string(),
    state: z.enum(['running', 'finished']),
    started_at: isoTime,
    updated_at: isoTime.meta({ description: 'When it moved last. A running job does so every few seconds' }),
    finished_at: isoTime.nullable(),
    sealed_anew: z.number().meta({ description: 'Rows that it has written' }),
    already_current: z.number().meta({ description: 'Rows that the newest key had sealed already' }),
    unreadable: z.number().meta({ description: 'Rows that are left as they are. The log names them' }),
    keys: z
      .array(z.object({ key_id: z.string(), rows: z.number() }))
      .meta({ description: 'How many rows each key seals, as the job left them. The ids are hashes' }),
    old_key_in_use: z
      .boolean()
      .meta({ description: 'True until the job has ended, found one key only, and could read every row' }),
  })
  .meta({ id: 'RekeyJob' });

export const rekeyJobStatus = defineRoute({
  name: 'rekey-job-status',
  method: 'GET',
  path: '/oauth/rekey_job_status',
  tag: 'Operations',
  summary: 'See what a rekey job has done, or the newest; for platform callers',
  permission: administer,
  audit: 'none',
  request: { query: z.strictObject({ job_id: jobIdQuery }) },
  responses: { 200: { description: 'The job so far', schema: rekeyJob } },
  errors: ['validation_failed', 'job_not_found'],
  handle: async (broker, { query, ...identity }) => {
    assertForPlatform(identity);
    const job = await broker.getRekeyJob(query.job_id ?? null);
    const json: z.input<typeof rekeyJob> = {
      job_id: job.id,
      state: job.finishedAt === null ? 'running' : 'finished',
      started_at: new Date(job.startedAt).toISOString(),
      updated_at: new Date(job.updatedAt).toISOString(),
      finished_at: iso(job.finishedAt),
      sealed_anew: job.sealedAnew,
      already_current: job.alreadyCurrent,
      unreadable: job.unreadable,
      keys: Object.entries(job.keys).map(([key_id, rows]) => ({ key_id, rows })),
      old_key_in_use: isOldKeyInUse(job),
    };
    return { status: 200, json };
  },
});
