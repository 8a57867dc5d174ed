import { z } from 'zod';
import type { StartedDevice } from '../../usecases/authorization/start-authorization.ts';
import { operate } from '../http/roles.ts';
import { type Answer, defineRoute } from '../http/route.ts';
import { connectionParams, isoTime, userId } from '../schemas/fields.ts';
import { deviceMessage } from '../triggers/device-message.ts';

const startedPage = z.object({
  authorization_url: z.string().nullable(),
  connect_url: z.string(),
  state: z.string().nullable(),
  expires_at: isoTime,
});

const startedDevice = z.object({
  user_code: z.string(),
  verification_uri: z.string(),
  verification_uri_complete: z.string().nullable(),
  expires_at: isoTime,
  interval: z.number().meta({ description: 'How often the provider is asked, in seconds' }),
});

export const connectionsAuthorize = defineRoute({
  name: 'connections-authorize',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/authorize',
  tag: 'Authorization',
  summary: 'Begin an authorization: get the page at which a person signs in',
  permission: operate,
  audit: 'authorization.start',
  limit: 'authorizations',
  request: {
    params: connectionParams,
    body: z
      .strictObject({
        user_id: userId.nullish(),
        return_url: z.string().max(2048).nullish().meta({
          description: 'Where the browser goes in the end; its origin must be allowed',
          example: 'https://app.example.com/connected',
        }),
        login_hint: z
          .string()
          .max(320)
          .nullish()
          .meta({ description: 'Who will sign in', example: 'alice@example.com' }),
        scopes: z
          .string()
          .max(4096)
          .nullish()
          .meta({ description: 'Some of the connection’s scopes; else all', example: 'read' }),
        prompt: z.string().max(100).nullish().meta({ description: 'Passed on to the provider', example: 'login' }),
        allow_account_change: z
          .boolean()
          .nullish()
          .meta({ description: 'Allow another account than before', example: false }),
      })
      .meta({ example: { login_hint: 'alice@example.com' } }),
  },
  responses: {
    200: {
      description:
        'Open `connect_url` in a browser, or `authorization_url` where the deployment allows it. For `device_code`: enter `user_code` at `verification_uri`',
      schema: z.union([startedPage, startedDevice]),
    },
  },
  errors: [
    'validation_failed',
    'authorization_not_applicable',
    'return_url_not_allowed',
    'connection_not_found',
    'provider_rejected_client',
    'provider_rejected_request',
    'provider_unavailable',
    'provider_answer_invalid',
  ],
  usesQueue: true,
  handle: async (broker, { params, body, org, caller }) => {
    const started = await broker.startAuthorization({
      org,
      name: params.connection_name,
      caller,
      userId: body.user_id ?? null,
      returnUrl: body.return_url ?? null,
      loginHint: body.login_hint ?? null,
      scopes: body.scopes ?? null,
      prompt: body.prompt ?? null,
      allowAccountChange: body.allow_account_change ?? false,
    });
    if (started.kind === 'device') return deviceAnswer(started);
    const json = {
      authorization_url: started.authorizationUrl,
      connect_url: started.connectUrl,
      state: started.state?.reveal() ?? null,
      expires_at: new Date(started.expiresAt).toISOString(),
    };
    return { status: 200, json };
  },
});

function deviceAnswer(started: StartedDevice): Answer {
  const json: z.input<typeof startedDevice> = {
    user_code: started.userCode,
    verification_uri: started.verificationUri,
    verification_uri_complete: started.verificationUriComplete,
    expires_at: new Date(started.expiresAt).toISOString(),
    interval: started.intervalSeconds,
  };
  return { status: 200, json, queue: [deviceMessage(started.next)] };
}
