import type { StandIn } from './stand-in.ts';

/** The company comes with the redirect and nowhere else; the refresh token changes about once a day. */
export const quickbooks: StandIn = {
  tokens: ({ scope: _scope, ...standard }) => ({
    ...standard,
    token_type: 'bearer',
    x_refresh_token_expires_in: 8_726_400,
  }),
  rotatesAfterSeconds: 86_400,
  callback: { realmId: '9130000000000000' },
  tokenPrefixes: { access: 'eyJlbmMi.', refresh: 'AB11' },
  failures: {
    invalid_client: { status: 401, body: { error: 'invalid_client' } },
    invalid_refresh_token: {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Incorrect or invalid refresh token' },
    },
  },
};
