import { z } from 'zod';
import { profileOf } from '../../usecases/connections/profile-of.ts';
import { inspect } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, pageQuery } from '../schemas/fields.ts';
import { grantSummary, presentGrant } from '../schemas/grant.ts';

export const connectionsGrants = defineRoute({
  name: 'connections-grants',
  method: 'GET',
  path: '/oauth/connections/{connection_name}/grants',
  tag: 'Connections',
  summary: 'List the users of the organisation who have connected, without their tokens',
  permission: inspect,
  audit: 'none',
  request: { params: connectionParams, query: z.strictObject(pageQuery) },
  responses: {
    200: {
      description: 'One page',
      schema: z.object({ grants: z.array(grantSummary), count: z.number(), continuation: z.string().nullable() }),
    },
  },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params, query, org }) => {
    const page = { limit: query.limit, continuation: query.continuation ?? null };
    const { found, items, continuation } = await broker.listGrants({ org, name: params.connection_name, page });
    const { config } = found.connection;
    const spelling = profileOf(broker, config).scopes;
    const grants = items.map((item) => presentGrant(item, config, spelling, broker.clock.now()));
    return { status: 200, json: { grants, count: grants.length, continuation } };
  },
});
