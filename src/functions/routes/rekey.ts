import { z } from 'zod';
import { assertForPlatform } from '../http/platform.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { rekeyMessage } from '../triggers/rekey-message.ts';

export const rekey = defineRoute({
  name: 'rekey',
  method: 'POST',
  path: '/oauth/rekey',
  tag: 'Operations',
  summary: 'Seal everything anew with the newest encryption key; for platform callers',
  permission: administer,
  audit: 'rekey',
  usesQueue: true,
  request: { body: z.strictObject({}).meta({ example: {} }) },
  responses: {
    202: {
      description: 'It has begun, or goes on where it was: see rekey_job_status',
      schema: z.object({ job_id: z.string() }),
    },
  },
  errors: ['vault_unavailable'],
  handle: async (broker, identity) => {
    assertForPlatform(identity);
    const step = await broker.startRekey();
    return { status: 202, json: { job_id: step.jobId }, queue: [rekeyMessage(step)] };
  },
});
