import type { StandIn } from './stand-in.ts';

/** A dead refresh token is a 403, and a wrong secret a denied access. */
export const atlassian: StandIn = {
  failures: {
    invalid_client: { status: 401, body: { error: 'access_denied', error_description: 'Unauthorized' } },
    invalid_code: { status: 403, body: { error: 'invalid_grant', error_description: 'Invalid authorization code' } },
    invalid_refresh_token: {
      status: 403,
      body: { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' },
    },
    rate_limited: {
      status: 429,
      body: { code: 429, message: 'Rate limit exceeded' },
      headers: { 'retry-after': '30' },
    },
  },
  userinfo: ({ id, name, email }) => ({ account_type: 'atlassian', account_id: `712020:${id}`, name, email }),
};
