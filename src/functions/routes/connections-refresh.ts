import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, grantBody } from '../schemas/fields.ts';
import { presentRefresh, refreshAnswer } from '../schemas/grant.ts';

export const connectionsRefresh = defineRoute({
  name: 'connections-refresh',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/refresh',
  tag: 'Connections',
  summary: 'Refresh the token now',
  permission: operate,
  audit: 'connection.refresh',
  request: { params: connectionParams, body: grantBody },
  responses: { 200: { description: 'The grant as it is now', schema: refreshAnswer } },
  errors: [
    'validation_failed',
    'connection_not_found',
    'connection_not_ready',
    'needs_reauthorization',
    'refresh_in_progress',
    'provider_unavailable',
    'provider_rejected_client',
  ],
  handle: async (broker, { params, body, org, caller }) => {
    const userId = body.user_id ?? null;
    const request = { org, name: params.connection_name, caller, userId };
    const { found, stored, isRefreshed } = await broker.refreshConnection(request);
    const { flowType } = found.connection.config;
    return { status: 200, json: presentRefresh(stored, flowType, isRefreshed, broker.clock.now()) };
  },
});
