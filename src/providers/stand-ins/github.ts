import type { StandIn } from './stand-in.ts';

const oauthFailures: NonNullable<StandIn['failures']> = {
  invalid_client: {
    status: 200,
    body: { error: 'incorrect_client_credentials', error_description: 'The client_id or client_secret is incorrect.' },
  },
  invalid_code: {
    status: 200,
    body: { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' },
  },
  invalid_refresh_token: {
    status: 200,
    body: { error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.' },
  },
  redirect_mismatch: { status: 200, body: { error: 'redirect_uri_mismatch' } },
  unsupported_grant_type: { status: 200, body: { error: 'unsupported_grant_type' } },
  authorization_pending: { status: 200, body: { error: 'authorization_pending', interval: 5 } },
  access_denied: { status: 200, body: { error: 'access_denied' } },
  expired_device_code: { status: 200, body: { error: 'expired_token' } },
  invalid_token: { status: 401, body: { message: 'Bad credentials', status: '401' } },
  rate_limited: {
    status: 429,
    body: { message: 'You have exceeded a secondary rate limit.' },
    headers: { 'retry-after': '30' },
  },
};

const person: StandIn['userinfo'] = ({ name, email }) => ({ login: name.toLowerCase(), id: name.length, name, email });

/** Forms unless JSON is asked for, errors with status 200, scopes with commas, tokens without an end. */
export const github: StandIn = {
  tokens: ({ access_token }, { scopes }) => ({ access_token, token_type: 'bearer', scope: scopes.join(',') }),
  statesNoLife: true,
  formUnlessJsonAccepted: true,
  tokenPrefixes: { access: 'gho_', refresh: '' },
  failures: oauthFailures,
  userinfo: person,
  revoked: { status: 204, body: {} },
};

/** As the other one, with lives, and an empty scope. */
export const githubAppUser: StandIn = {
  tokens: (standard) => ({ ...standard, token_type: 'bearer', scope: '', refresh_token_expires_in: 15_897_600 }),
  formUnlessJsonAccepted: true,
  tokenPrefixes: { access: 'ghu_', refresh: 'ghr_' },
  failures: oauthFailures,
  userinfo: person,
  revoked: { status: 204, body: {} },
};

/** `token` and a date, with status 201; errors are a message and nothing else. */
export const githubAppInstallation: StandIn = {
  tokens: (_standard, { accessToken, now, lifeSeconds }) => ({
    token: accessToken,
    expires_at: new Date(now + lifeSeconds * 1000).toISOString(),
    permissions: { contents: 'read', metadata: 'read' },
    repository_selection: 'all',
  }),
  tokenStatus: 201,
  tokenPrefixes: { access: 'ghs_', refresh: '' },
  failures: {
    invalid_assertion: { status: 401, body: { message: 'A JSON web token could not be decoded', status: '401' } },
    invalid_token: { status: 401, body: { message: 'Bad credentials', status: '401' } },
    rate_limited: {
      status: 403,
      body: { message: 'API rate limit exceeded', status: '403' },
      headers: { 'retry-after': '30', 'x-ratelimit-remaining': '0' },
    },
  },
  revoked: { status: 204, body: {} },
};
