import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, grantBody } from '../schemas/fields.ts';

export const connectionsDisconnect = defineRoute({
  name: 'connections-disconnect',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/disconnect',
  tag: 'Connections',
  summary: 'Revoke and drop the tokens; the configuration stays',
  permission: operate,
  audit: 'grant.disconnect',
  request: { params: connectionParams, body: grantBody },
  responses: {
    200: {
      description: 'The tokens are gone here; `revoked` says whether the provider confirmed',
      schema: z.object({ message: z.string(), status: z.literal('not_connected'), revoked: z.boolean() }),
    },
  },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params, body, org, caller }) => {
    const userId = body.user_id ?? null;
    const { isRevoked } = await broker.disconnect({ org, name: params.connection_name, caller, userId });
    return { status: 200, json: { message: 'The tokens were dropped.', status: 'not_connected', revoked: isRevoked } };
  },
});
