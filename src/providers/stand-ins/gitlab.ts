import type { StandIn } from './stand-in.ts';

/** Says when a token was made. A dead refresh token is told at length. */
export const gitlab: StandIn = {
  tokens: (standard, { now }) => ({ ...standard, created_at: Math.floor(now / 1000) }),
  failures: {
    invalid_client: {
      status: 401,
      body: { error: 'invalid_client', error_description: 'Client authentication failed due to unknown client.' },
      headers: { 'www-authenticate': 'Bearer realm="GitLab", error="invalid_client"' },
    },
    rate_limited: { status: 429, body: {}, headers: { 'retry-after': '30', 'content-type': 'text/plain' } },
  },
};
