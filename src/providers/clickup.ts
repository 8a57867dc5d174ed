import { defineProvider } from './define-provider.ts';

export const clickup = defineProvider({
  id: 'clickup',
  name: 'ClickUp',
  tier: 'listed',
  flows: ['authorization_code'],
  endpoints: {
    authorization: 'https://app.clickup.com/api',
    token: 'https://api.clickup.com/api/v2/oauth/token',
    userinfo: 'https://api.clickup.com/api/v2/user',
    test: 'https://api.clickup.com/api/v2/user',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  scopes: { isUnused: true },
  rotation: 'none',
  guide: {
    notes: [
      'Tokens do not end, there is no refresh token, and no revocation endpoint is known.',
      'Personal tokens go into `Authorization` without the word Bearer: do not mix them up with the tokens of a connection.',
    ],
  },
});
