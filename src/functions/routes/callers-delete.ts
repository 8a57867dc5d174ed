import { z } from 'zod';
import { keyIdPattern, principalIdPattern } from '../../domain/caller.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';

export const callersDelete = defineRoute({
  name: 'callers-delete',
  method: 'DELETE',
  path: '/oauth/callers/{id}',
  tag: 'Callers',
  summary: 'Delete an API key, or the registration of a principal. Every process notices within a minute',
  permission: administer,
  audit: 'caller.remove',
  request: {
    params: z.strictObject({
      id: z
        .string()
        .refine((id) => keyIdPattern.test(id) || principalIdPattern.test(id), 'must be the id of a caller')
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
