import { z } from 'zod';
import { toWorkflowId } from '../../domain/ids.ts';
import { readCredentials } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { credentialsAnswer, presentCredentials } from '../schemas/credentials.ts';
import { connectionParams, queryFlag, userId } from '../schemas/fields.ts';

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
      required_scopes: z
        .string()
        .max(4096)
        .optional()
        .meta({ description: 'Scopes that the token must have, separated by commas or spaces', example: 'read' }),
      force_refresh: queryFlag(false).meta({ description: 'Refresh first; at most once in 30 s' }),
    }),
    headers: z.object({
      'X-Workflow-Id': z
        .string()
        .optional()
        .meta({ description: 'Records that this workflow uses the connection', example: 'nightly-sync' }),
    }),
  },
  responses: { 200: { description: 'The access token. Never a refresh token', schema: credentialsAnswer } },
  errors: [
    'validation_failed',
    'workflow_disabled',
    'connection_not_found',
    'connection_not_ready',
    'refresh_in_progress',
    'token_life_too_short',
    'scopes_missing',
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
      requiredScopes: query.required_scopes ?? null,
      workflowId: workflow === null ? null : toWorkflowId(workflow, 'X-Workflow-Id'),
    });
    if (found.org !== org) broker.audit.about({ detail: { connection_org: found.org } });
    return { status: 200, json: presentCredentials(found) };
  },
});
