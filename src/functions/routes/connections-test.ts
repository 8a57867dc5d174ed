import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, grantBody, isoTime } from '../schemas/fields.ts';

export const connectionsTest = defineRoute({
  name: 'connections-test',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/test',
  tag: 'Connections',
  summary: 'Get a token and call the provider’s test endpoint with it',
  permission: operate,
  audit: 'connection.test',
  request: { params: connectionParams, body: grantBody },
  responses: {
    200: {
      description: 'What came of it. A failing provider is an outcome, not an error.',
      schema: z.object({
        test_result: z.enum(['success', 'failed', 'skipped']),
        message: z.string(),
        tested_at: isoTime,
      }),
    },
  },
  errors: ['validation_failed', 'connection_not_found', 'vault_unavailable'],
  handle: async (broker, { params, body, org, caller }) => {
    const userId = body.user_id ?? null;
    const { result, message, testedAt } = await broker.testConnection({
      org,
      name: params.connection_name,
      caller,
      userId,
    });
    return { status: 200, json: { test_result: result, message, tested_at: new Date(testedAt).toISOString() } };
  },
});
