import type { StandIn } from './stand-in.ts';

const no = (status: number, code: string, message: string) => ({
  status,
  body: { object: 'error', status, code, message },
});

/** No life is stated though a refresh token comes; errors of the API have a code of their own. */
export const notion: StandIn = {
  tokens: (_standard, { accessToken, refreshToken, person }) => ({
    access_token: accessToken,
    token_type: 'bearer',
    refresh_token: refreshToken,
    bot_id: '0000-bot',
    workspace_id: '0000-workspace',
    workspace_name: 'Example Workspace',
    workspace_icon: null,
    owner: { type: 'user', user: { object: 'user', id: person?.id ?? '' } },
    duplicated_template_id: null,
  }),
  statesNoLife: true,
  tokenPrefixes: { access: 'ntn_', refresh: 'nrt_' },
  failures: {
    invalid_client: { status: 401, body: { error: 'invalid_client' } },
    invalid_request: no(400, 'validation_error', 'body failed validation.'),
    invalid_token: no(401, 'unauthorized', 'API token is invalid.'),
    rate_limited: { ...no(429, 'rate_limited', 'You have been rate limited.'), headers: { 'retry-after': '30' } },
    unavailable: no(503, 'service_unavailable', 'Notion is unavailable.'),
  },
};
