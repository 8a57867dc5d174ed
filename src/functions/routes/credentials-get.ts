import { z } from 'zod';
import { flowTypes } from '../../domain/connection.ts';
import { toWorkflowId } from '../../domain/ids.ts';
import type { Credentials } from '../../usecases/credentials/get-credentials.ts';
import { readCredentials } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, iso, isoTime, queryFlag, userId } from '../schemas/fields.ts';

const credentials = z
  .object({
    connection_name: z.string(),
    org_id: z.string().meta({ description: 'Whose connection it is: the organisation’s own, or GLOBAL' }),
    user_id: z.string().nullable(),
    access_token: z.string(),
    token_type: z.string(),
    expires_at: isoTime.nullable().meta({ description: 'Null: the provider stated no end' }),
    scopes: z.string().nullable(),
    method: z.enum(['saved_token', 'refreshed', ...flowTypes]),
    metadata: z.record(z.string(), z.unknown()).meta({ description: 'What the provider said beside the token' }),
  })
  .meta({ id: 'Credentials' });

export const credentialsGet = defineRoute({
  name: 'credentials-get',
  method: 'GET',
  path: '/oauth/credentials/{connection_name}',
  tag: 'Credentials',
  summary: 'Get a live access token by the connection’s name',
  permission: readCredentials,
  audit: 'credential.read',
  request: {
    params: connectionParams,
    query: z.strictObject({
      user_id: userId
        .optional()
        .meta({ description: 'Whose token. Left out: the organisation’s own', example: 'user-17' }),
      min_ttl_seconds: z
        .string()
        .regex(/^\d{1,8}$/, 'must be a whole number of seconds')
        .transform(Number)
        .optional()
        .meta({ description: 'The token must live at least this long', example: '300' }),
      force_refresh: queryFlag(false).meta({ description: 'Refresh first; at most once in 30 s' }),
    }),
    headers: z.object({
      'X-Workflow-Id': z
        .string()
        .optional()
        .meta({ description: 'Records that this workflow uses the connection', example: 'nightly-sync' }),
    }),
  },
  responses: { 200: { description: 'The access token. Never a refresh token', schema: credentials } },
  errors: [
    'validation_failed',
    'workflow_disabled',
    'connection_not_found',
    'connection_not_ready',
    'refresh_in_progress',
    'token_life_too_short',
    'provider_unavailable',
    'provider_answer_invalid',
    'grant_unreadable',
  ],
  handle: async (broker, { params, query, org, raw }) => {
    const workflow = raw.headers.get('x-workflow-id');
    const found = await broker.getCredentials({
      org,
      name: params.connection_name,
      userId: query.user_id ?? null,
      minTtlSeconds: query.min_ttl_seconds ?? null,
      forceRefresh: query.force_refresh,
      workflowId: workflow === null ? null : toWorkflowId(workflow, 'X-Workflow-Id'),
    });
    if (found.org !== org) broker.audit.about({ detail: { connection_org: found.org } });
    return { status: 200, json: present(found) };
  },
});

function present(found: Credentials): z.input<typeof credentials> {
  return {
    connection_name: found.connection,
    org_id: found.org,
    user_id: found.userId,
    access_token: found.accessToken.reveal(),
    token_type: found.tokenType,
    expires_at: iso(found.expiresAt),
    scopes: found.scopes,
    method: found.method,
    metadata: { ...found.metadata },
  };
}
