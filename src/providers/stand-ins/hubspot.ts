import type { StandIn } from './stand-in.ts';

const no = (status: string, message: string, more: object = {}) => ({
  status: 400,
  body: { status, message, correlationId: '0000', ...more },
});

/** Errors have a status and a message, with or without RFC 6749's; the refresh token comes with every answer. */
export const hubspot: StandIn = {
  tokens: (standard) => ({ ...standard, token_type: 'bearer', hub_id: 4711, user_id: 42 }),
  repeatsRefreshToken: true,
  failures: {
    invalid_client: no('BAD_CLIENT_SECRET', 'missing or invalid client secret'),
    invalid_code: no('BAD_AUTH_CODE', 'missing or unknown auth code', { error: 'invalid_grant' }),
    invalid_refresh_token: no('BAD_REFRESH_TOKEN', 'missing or invalid refresh token'),
    redirect_mismatch: no('BAD_REDIRECT_URI', 'missing or invalid redirect uri'),
    unsupported_grant_type: no('BAD_GRANT_TYPE', 'missing or unknown grant type'),
    rate_limited: {
      status: 429,
      body: { status: 'error', message: 'You have reached your ten_secondly_rolling limit.', errorType: 'RATE_LIMIT' },
      headers: { 'retry-after': '30' },
    },
  },
};
