import { z } from 'zod';
import { Secret } from '../../domain/secret.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionDetail } from '../schemas/connection.ts';
import { changedConfig, signingKeyOf, updateBody } from '../schemas/connection-input.ts';
import { connectionParams } from '../schemas/fields.ts';
import { detailAnswer } from './detail-answer.ts';

export const connectionsUpdate = defineRoute({
  name: 'connections-update',
  method: 'PUT',
  path: '/oauth/connections/{connection_name}',
  tag: 'Connections',
  summary: 'Change a connection. A change of endpoints, client or scopes drops its tokens',
  permission: administer,
  audit: 'connection.update',
  request: {
    params: connectionParams,
    body: updateBody,
    headers: z.object({
      'If-Match': z
        .string()
        .optional()
        .meta({ description: 'The ETag that was read', example: '"0123456789abcdef0123456789abcdef"' }),
    }),
  },
  responses: { 200: { description: 'The connection as it is now', schema: connectionDetail } },
  errors: ['validation_failed', 'url_not_allowed', 'connection_not_found', 'connection_changed', 'vault_unavailable'],
  handle: async (broker, { params, body, org, caller, raw }) => {
    const stored = await broker.updateConnection({
      org,
      name: params.connection_name,
      caller,
      change: (config) => changedConfig(config, body, org),
      clientSecret: secretOf(body.client_secret),
      fallbackApiKey: secretOf(body.fallback_api_key),
      signingKey: signingKeyOf(body),
      apiKey: body.api_key ? new Secret(body.api_key) : null,
      expectedRevision: revisionOf(raw.headers.get('if-match')),
    });
    return detailAnswer(broker, stored, org);
  },
});

/** Left out: undefined. Cleared: null. */
function secretOf(given: string | null | undefined): Secret | null | undefined {
  return typeof given === 'string' ? new Secret(given) : given;
}

/** `*` asks only that there be a connection, which a change asks anyway (RFC 9110 section 13.1.1). */
function revisionOf(ifMatch: string | null): string | undefined {
  if (ifMatch === null || ifMatch.trim() === '*') return undefined;
  return ifMatch.trim().replace(/^"(.*)"$/, '$1');
}
