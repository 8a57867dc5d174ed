import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { callerSummary, presentCaller } from '../schemas/caller.ts';
import { pageQuery } from '../schemas/fields.ts';

export const callersList = defineRoute({
  name: 'callers-list',
  method: 'GET',
  path: '/oauth/callers',
  tag: 'Callers',
  summary: 'List the callers of the organisation: API keys, without the keys, and Entra principals',
  permission: administer,
  audit: 'none',
  request: { query: z.strictObject(pageQuery) },
  responses: {
    200: {
      description: 'One page. It may hold fewer than `limit` and still have a continuation.',
      schema: z.object({ callers: z.array(callerSummary), count: z.number(), continuation: z.string().nullable() }),
    },
  },
  errors: ['validation_failed'],
  handle: async (broker, { query, org, caller }) => {
    const page = { limit: query.limit, continuation: query.continuation ?? null };
    const { items, continuation } = await broker.callers.list(caller, org, page);
    return { status: 200, json: { callers: items.map(presentCaller), count: items.length, continuation } };
  },
});
