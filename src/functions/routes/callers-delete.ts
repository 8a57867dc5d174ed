import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';

export const callersDelete = defineRoute({
  name: 'callers-delete',
  method: 'DELETE',
  path: '/oauth/callers/{id}',
  tag: 'Callers',
  summary: 'Delete an API key. Every process refuses it within a minute',
  permission: administer,
  request: {
    params: z.strictObject({
      id: z
        .string()
        .regex(/^[0-9a-f]{16,32}$/, 'must be the id of a caller')
        .meta({ description: 'The id of a caller', example: '0123456789abcdef0123456789abcdef' }),
    }),
  },
  responses: { 204: { description: 'Deleted' } },
  errors: ['validation_failed', 'caller_not_found'],
  handle: async (broker, { params, org, caller }) => {
    await broker.callers.remove(caller, org, params.id);
    return { status: 204 };
  },
});
