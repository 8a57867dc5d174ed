import { defineProvider } from './define-provider.ts';

export const gusto = defineProvider({
  id: 'gusto',
  name: 'Gusto',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://api.gusto.com/oauth/authorize',
    token: 'https://api.gusto.com/oauth/token',
    userinfo: 'https://api.gusto.com/v1/token_info',
    test: 'https://api.gusto.com/v1/token_info',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored', repeatsRedirectUri: true },
  scopes: { isUnused: true },
  rotation: 'strict',
  lives: { accessTokenSeconds: 7200 },
  guide: {
    notes: [
      'A refresh names the redirect URI again: do not remove it from the application while connections are in use.',
      'No revocation endpoint is known: remove the app in the Gusto account.',
    ],
  },
});
