import { defineProvider } from './define-provider.ts';

export const pinterest = defineProvider({
  id: 'pinterest',
  name: 'Pinterest',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://www.pinterest.com/oauth/',
    token: 'https://api.pinterest.com/v5/oauth/token',
    userinfo: 'https://api.pinterest.com/v5/user_account',
    test: 'https://api.pinterest.com/v5/user_account',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'ignored', tokenParams: { continuous_refresh: 'true' } },
  scopes: { separator: 'comma' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 2_592_000, refreshTokenSeconds: 5_184_000, keepAliveSeconds: 604_800 },
  guide: {
    notes: [
      'Continuous refresh is asked for: each refresh gives a refresh token that is good for another 60 days.',
      'No revocation endpoint is known: remove the app in the Pinterest account.',
    ],
  },
});
