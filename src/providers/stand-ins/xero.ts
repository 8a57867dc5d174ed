import type { StandIn } from './stand-in.ts';

/** Says why in one word and nothing else. */
export const xero: StandIn = {
  failures: {
    invalid_client: { status: 400, body: { error: 'invalid_client' } },
    invalid_code: { status: 400, body: { error: 'invalid_grant' } },
    invalid_refresh_token: { status: 400, body: { error: 'invalid_grant' } },
    rate_limited: { status: 429, body: {}, headers: { 'retry-after': '30', 'x-rate-limit-problem': 'minute' } },
  },
  userinfo: ({ id, name, email }) => ({ sub: id, xero_userid: id, name, email }),
};
