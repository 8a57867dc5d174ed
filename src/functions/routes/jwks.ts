import { z } from 'zod';
import { type OrgId, orgIdPattern } from '../../domain/ids.ts';
import { defineRoute } from '../http/route.ts';
import { connectionName } from '../schemas/fields.ts';

export const jwks = defineRoute({
  name: 'jwks',
  method: 'GET',
  path: '/oauth/jwks/{org_id}/{connection_name}/{key_id}',
  tag: 'Authorization',
  summary: 'The public key that a connection signs with, for its provider',
  permission: { kind: 'public' },
  audit: 'none',
  request: {
    params: z.strictObject({
      org_id: z
        .string()
        .regex(orgIdPattern, `must match ${orgIdPattern.source}`)
        .transform((text) => text as OrgId)
        .meta({ description: 'Whose connection it is', example: 'ORG1' }),
      connection_name: connectionName,
      key_id: z
        .string()
        .max(64)
        .meta({ description: 'As `jwks_uri` of the connection has it', example: '0123456789abcdef0123456789abcdef' }),
    }),
  },
  responses: {
    200: {
      description: 'A JWK set (RFC 7517 section 5)',
      schema: z.object({ keys: z.array(z.record(z.string(), z.string())) }),
    },
  },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params }) => {
    const { keys } = await broker.getPublicKeys({
      org: params.org_id,
      name: params.connection_name,
      keyId: params.key_id,
    });
    return { status: 200, json: { keys: [...keys] }, headers: { 'cache-control': 'public, max-age=300' } };
  },
});
