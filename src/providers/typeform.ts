import { defineProvider } from './define-provider.ts';

export const typeform = defineProvider({
  id: 'typeform',
  name: 'Typeform',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://api.typeform.com/oauth/authorize',
    token: 'https://api.typeform.com/oauth/token',
    userinfo: 'https://api.typeform.com/me',
    test: 'https://api.typeform.com/me',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  scopes: { offline: 'offline' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 604_800 },
  guide: {
    notes: [
      'The scope for a refresh token is called `offline`, not `offline_access`.',
      'No revocation endpoint is known: remove the app in the Typeform account.',
    ],
  },
});
