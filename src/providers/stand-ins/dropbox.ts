import type { StandIn } from './stand-in.ts';

/** A refresh token for whoever asks for `token_access_type=offline`, once, and the account beside it. */
export const dropbox: StandIn = {
  tokens: (standard, { isRefresh, person }) =>
    isRefresh ? standard : { ...standard, token_type: 'bearer', uid: '1', account_id: `dbid:${person?.id ?? ''}` },
  tokenPrefixes: { access: 'sl.', refresh: '' },
  offlineParameter: { request: 'authorization', name: 'token_access_type', value: 'offline' },
  failures: {
    invalid_client: { status: 400, body: { error: 'invalid_client: Invalid client_id or client_secret' } },
    invalid_code: {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'code doesn’t exist or has expired' },
    },
    invalid_refresh_token: {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'refresh token is invalid or revoked' },
    },
    invalid_token: {
      status: 401,
      body: { error_summary: 'invalid_access_token/..', error: { '.tag': 'invalid_access_token' } },
    },
  },
};
