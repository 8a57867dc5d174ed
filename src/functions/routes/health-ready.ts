import { z } from 'zod';
import { defineRoute } from '../http/route.ts';

const readiness = z.object({ status: z.enum(['ready', 'not_ready']) });

export const healthReady = defineRoute({
  name: 'health-ready',
  method: 'GET',
  path: '/health/ready',
  tag: 'Health',
  summary: 'Storage, vault and encryption key can be reached',
  permission: { kind: 'public' },
  audit: 'none',
  responses: {
    200: { description: 'All can be reached', schema: readiness },
    503: { description: 'Something cannot be reached; the log says what', schema: readiness },
  },
  handle: async (broker) => {
    const { isReady } = await broker.checkHealth();
    return { status: isReady ? 200 : 503, json: { status: isReady ? 'ready' : 'not_ready' } };
  },
});
