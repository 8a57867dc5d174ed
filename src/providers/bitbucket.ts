import { defineProvider } from './define-provider.ts';

export const bitbucket = defineProvider({
  id: 'bitbucket',
  name: 'Bitbucket Cloud',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://bitbucket.org/site/oauth2/authorize',
    token: 'https://bitbucket.org/site/oauth2/access_token',
    userinfo: 'https://api.bitbucket.org/2.0/user',
    test: 'https://api.bitbucket.org/2.0/user',
  },
  clientAuth: ['client_secret_basic', 'client_secret_post'],
  requests: { pkce: 'ignored' },
  rotation: 'none',
  lives: { accessTokenSeconds: 7200 },
  answers: { scopeField: 'scopes' },
  guide: {
    notes: [
      'Choose the scopes at the OAuth consumer in Bitbucket: those are granted, whatever a connection asks for.',
      'Bitbucket also has a JWT grant of its own, which this entry does not describe.',
      'No revocation endpoint is known: remove the app in the Bitbucket account.',
    ],
  },
});
