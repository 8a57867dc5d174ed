import type { StandIn } from './stand-in.ts';

const no = (error: string, what: string) => ({ status: 400, body: { error, error_description: what } });

/** Hands the refresh token out again; a wrong secret is a 400. */
export const adobeIms: StandIn = {
  repeatsRefreshToken: true,
  failures: {
    invalid_client: no('invalid_client', 'invalid client_secret parameter'),
    invalid_refresh_token: { status: 401, body: { error: 'invalid_token' } },
    rate_limited: { status: 429, body: { error: 'too_many_requests' }, headers: { 'retry-after': '30' } },
  },
  userinfo: ({ id, name, email }) => ({ sub: `${id}@AdobeID`, account_type: 'ind', name, email }),
};

export const adobeImsS2s: StandIn = {
  tokens: ({ access_token, expires_in }) => ({ access_token, token_type: 'bearer', expires_in }),
  failures: {
    invalid_client: no('invalid_client', 'invalid client_secret parameter'),
    invalid_scope: no('invalid_scope', 'scopes are separated by commas'),
    rate_limited: { status: 429, body: { error: 'too_many_requests' }, headers: { 'retry-after': '30' } },
  },
};
