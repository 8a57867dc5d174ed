import { z } from 'zod';
import { GLOBAL } from '../../domain/ids.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { batchMessage } from '../triggers/batch-message.ts';

export const refreshAll = defineRoute({
  name: 'refresh-all',
  method: 'POST',
  path: '/oauth/refresh_all',
  tag: 'Operations',
  summary: 'Refresh every grant of the organisation; for GLOBAL, of all organisations',
  permission: administer,
  audit: 'refresh_all',
  usesQueue: true,
  request: { body: z.strictObject({}).meta({ example: {} }) },
  responses: {
    202: { description: 'It has begun: see refresh_job_status', schema: z.object({ job_id: z.string() }) },
  },
  handle: async (broker, { org }) => {
    const { jobId, batches } = await broker.startSweep({ trigger: 'manual', org: org === GLOBAL ? null : org });
    return { status: 202, json: { job_id: jobId }, queue: batches.map(batchMessage) };
  },
});
