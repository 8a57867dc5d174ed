import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, grantBody } from '../schemas/fields.ts';

export const connectionsIntrospect = defineRoute({
  name: 'connections-introspect',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/introspect',
  tag: 'Connections',
  summary: 'Ask the provider what the saved token is worth (RFC 7662)',
  permission: operate,
  audit: 'connection.introspect',
  request: {
    params: connectionParams,
    body: grantBody
      .extend({
        token: z.enum(['access_token', 'refresh_token']).default('access_token').meta({ example: 'access_token' }),
      })
      .meta({ example: { user_id: null, token: 'access_token' } }),
  },
  responses: {
    200: { description: 'The provider’s answer, without the token', schema: z.looseObject({ active: z.boolean() }) },
  },
  errors: [
    'validation_failed',
    'connection_not_found',
    'connection_not_ready',
    'provider_rejected_client',
    'provider_unavailable',
    'provider_answer_invalid',
  ],
  handle: async (broker, { params, body, org, caller }) => {
    const request = { org, name: params.connection_name, caller, userId: body.user_id ?? null, token: body.token };
    return { status: 200, json: await broker.introspect(request) };
  },
});
