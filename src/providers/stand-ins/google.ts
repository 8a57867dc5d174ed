import type { StandIn } from './stand-in.ts';

/** The names under which these scopes come back. */
const longNames: Readonly<Record<string, string>> = {
  email: 'https://www.googleapis.com/auth/userinfo.email',
  profile: 'https://www.googleapis.com/auth/userinfo.profile',
};

/** A refresh token for whoever asks for `access_type=offline`, once: answers to a refresh have none. */
export const google: StandIn = {
  tokens: (standard, { scopes }) => ({
    ...standard,
    scope: scopes.map((scope) => longNames[scope] ?? scope).join(' '),
  }),
  tokenPrefixes: { access: 'ya29.', refresh: '1//' },
  offlineParameter: { request: 'authorization', name: 'access_type', value: 'offline' },
  letsPeopleChooseScopes: true,
  device: ({ verification_uri: page, ...others }) => ({ ...others, verification_url: page }),
  callback: { authuser: '0', prompt: 'consent' },
  failures: {
    invalid_client: { status: 401, body: { error: 'invalid_client', error_description: 'Unauthorized' } },
    invalid_code: { status: 400, body: { error: 'invalid_grant', error_description: 'Malformed auth code.' } },
    invalid_refresh_token: {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    },
    authorization_pending: {
      status: 428,
      body: { error: 'authorization_pending', error_description: 'Precondition Required' },
    },
    rate_limited: {
      status: 429,
      body: { error: { code: 429, message: 'Resource has been exhausted.', status: 'RESOURCE_EXHAUSTED' } },
      headers: { 'retry-after': '30' },
    },
  },
};

/** Nothing but a token and its life. */
export const googleServiceAccount: StandIn = {
  tokens: ({ access_token, expires_in, token_type }) => ({ access_token, expires_in, token_type }),
  tokenPrefixes: { access: 'ya29.c.', refresh: '' },
  failures: {
    invalid_assertion: {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' },
    },
  },
};
