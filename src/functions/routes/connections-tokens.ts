import { z } from 'zod';
import { Secret } from '../../domain/secret.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, instant, userId } from '../schemas/fields.ts';
import { presentRefresh, refreshAnswer } from '../schemas/grant.ts';

/** RFC 6749 appendices A.12 and A.17: anything else would break the header or the form that it is sent in. */
const token = z
  .string()
  .max(64 * 1024)
  .regex(/^[\x20-\x7e]+$/, 'must be printable ASCII')
  .meta({ writeOnly: true, example: 'a-token-from-elsewhere' });

export const connectionsTokens = defineRoute({
  name: 'connections-tokens',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/tokens',
  tag: 'Connections',
  summary: 'Import tokens that were obtained elsewhere',
  permission: administer,
  audit: 'grant.import',
  request: {
    params: connectionParams,
    body: z
      .strictObject({
        access_token: token.nullish(),
        refresh_token: token.nullish(),
        expires_at: instant.nullish().meta({ example: '2026-01-31T09:30:00.000Z' }),
        scopes: z.string().max(4096).nullish().meta({ description: 'What they allow', example: 'read write' }),
        user_id: userId.nullish(),
      })
      .meta({ example: { refresh_token: 'a-token-from-elsewhere' } }),
  },
  responses: {
    200: {
      description: 'The grant as it is now. A refresh token alone was used to get an access token',
      schema: refreshAnswer,
    },
  },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params, body, org, caller }) => {
    const { found, stored, isRefreshed } = await broker.importTokens({
      org,
      name: params.connection_name,
      caller,
      userId: body.user_id ?? null,
      accessToken: body.access_token ? new Secret(body.access_token) : null,
      refreshToken: body.refresh_token ? new Secret(body.refresh_token) : null,
      expiresAt: body.expires_at ?? null,
      scopes: body.scopes ?? null,
    });
    const { flowType } = found.connection.config;
    return { status: 200, json: presentRefresh(stored, flowType, isRefreshed, broker.clock.now()) };
  },
});
