import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { statusFields } from '../schemas/connection.ts';
import { connectionParams, grantBody } from '../schemas/fields.ts';
import { presentStatus } from '../schemas/grant.ts';

export const connectionsCancel = defineRoute({
  name: 'connections-cancel',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/cancel',
  tag: 'Authorization',
  summary: 'Forget the pending authorization',
  permission: operate,
  audit: 'authorization.cancel',
  request: { params: connectionParams, body: grantBody },
  responses: { 200: { description: 'The status, which is what it was before', schema: z.object(statusFields) } },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params, body, org, caller }) => {
    const userId = body.user_id ?? null;
    const { found, stored } = await broker.cancelAuthorization({ org, name: params.connection_name, caller, userId });
    const nothing = { status: 'not_connected', status_reason: null, status_message: null };
    const { flowType } = found.connection.config;
    return { status: 200, json: stored === undefined ? nothing : presentStatus(stored, flowType, broker.clock.now()) };
  },
});
