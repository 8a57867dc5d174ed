import { defineProvider } from './define-provider.ts';

export const figma = defineProvider({
  id: 'figma',
  name: 'Figma',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://www.figma.com/oauth',
    token: 'https://api.figma.com/v1/oauth/token',
    refresh: 'https://api.figma.com/v1/oauth/refresh',
    userinfo: 'https://api.figma.com/v1/me',
    test: 'https://api.figma.com/v1/me',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'ignored' },
  scopes: { separator: 'comma' },
  rotation: 'none',
  lives: { accessTokenSeconds: 7_776_000 },
  guide: {
    notes: [
      'The code of a callback is good for 30 seconds: a callback that is held up has to be authorized again.',
      'The refresh token comes once, with the first answer, and stays in use.',
      'No revocation endpoint is known: remove the app in the Figma account.',
    ],
  },
});
