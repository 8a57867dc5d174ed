import { z } from 'zod';
import { toWorkflowId } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import { readCredentials } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { credentialsAnswer, presentCredentials } from '../schemas/credentials.ts';
import { connectionParams } from '../schemas/fields.ts';

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token';
const tokenType = z.string().min(1).max(200);

export const credentialsExchange = defineRoute({
  name: 'credentials-exchange',
  method: 'POST',
  path: '/oauth/credentials/{connection_name}',
  tag: 'Credentials',
  summary: 'Exchange somebody’s token for one of the connection’s provider (RFC 8693)',
  permission: readCredentials,
  audit: 'credential.read',
  request: {
    params: connectionParams,
    body: z
      .strictObject({
        subject_token: z
          .string()
          .min(1)
          .max(64 * 1024)
          .meta({ writeOnly: true, example: 'the-token-of-somebody' }),
        subject_token_type: tokenType
          .nullish()
          .meta({ description: `Left out: ${accessTokenType}`, example: accessTokenType }),
        requested_token_type: tokenType.nullish().meta({ example: accessTokenType }),
        audience: z
          .string()
          .max(2048)
          .nullish()
          .meta({ description: 'What the token is for, unless the connection says so', example: 'reports-api' }),
        resource: z.string().max(2048).nullish().meta({ example: 'https://api.example.com' }),
        scope: z
          .string()
          .max(4096)
          .nullish()
          .meta({ description: 'Some of the connection’s scopes; else all', example: 'read' }),
      })
      .meta({ example: { subject_token: 'the-token-of-somebody' } }),
    headers: z.object({
      'X-Workflow-Id': z
        .string()
        .optional()
        .meta({ description: 'Records that this workflow uses the connection', example: 'nightly-sync' }),
    }),
  },
  responses: { 200: { description: 'The token that was got for it. Nothing is kept', schema: credentialsAnswer } },
  errors: [
    'validation_failed',
    'exchange_not_applicable',
    'workflow_disabled',
    'connection_not_found',
    'provider_rejected_client',
    'provider_rejected_request',
    'provider_unavailable',
    'provider_answer_invalid',
    'provider_paused',
  ],
  handle: async (broker, { params, body, org, raw }) => {
    const workflow = raw.headers.get('x-workflow-id');
    const found = await broker.exchangeToken({
      org,
      name: params.connection_name,
      workflowId: workflow === null ? null : toWorkflowId(workflow, 'X-Workflow-Id'),
      exchange: {
        subjectToken: new Secret(body.subject_token),
        subjectTokenType: body.subject_token_type ?? accessTokenType,
        requestedTokenType: body.requested_token_type ?? null,
        audience: body.audience ?? null,
        resource: body.resource ?? null,
        scopes: body.scope ?? null,
      },
    });
    return { status: 200, json: presentCredentials(found) };
  },
});
