import { z } from 'zod';
import { defineRoute } from '../http/route.ts';

export const health = defineRoute({
  name: 'health',
  method: 'GET',
  path: '/health',
  tag: 'Health',
  summary: 'The process is alive',
  permission: { kind: 'public' },
  audit: 'none',
  responses: { 200: { description: 'Alive', schema: z.object({ status: z.literal('alive') }) } },
  handle: async () => ({ status: 200, json: { status: 'alive' } }),
});
