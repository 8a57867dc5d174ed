import { defineProvider } from './define-provider.ts';

export const asana = defineProvider({
  id: 'asana',
  name: 'Asana',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://app.asana.com/-/oauth_authorize',
    token: 'https://app.asana.com/-/oauth_token',
    revocation: 'https://app.asana.com/-/oauth_revoke',
    userinfo: 'https://app.asana.com/api/1.0/openid_connect/userinfo',
    test: 'https://app.asana.com/api/1.0/openid_connect/userinfo',
  },
  clientAuth: ['client_secret_post'],
  rotation: 'none',
  lives: { accessTokenSeconds: 3600 },
  guide: {
    notes: [
      'The refresh token comes once, with the first answer, and stays in use: a later answer without one is in order.',
      "The person's profile is kept from the answer under `data`.",
    ],
  },
});
