import { defineProvider } from './define-provider.ts';

export const x = defineProvider({
  id: 'x',
  name: 'X (Twitter) OAuth 2',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://x.com/i/oauth2/authorize',
    token: 'https://api.x.com/2/oauth2/token',
    revocation: 'https://api.x.com/2/oauth2/revoke',
    userinfo: 'https://api.x.com/2/users/me',
    test: 'https://api.x.com/2/users/me',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'required' },
  scopes: { offline: 'offline.access' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 7200 },
  guide: {
    notes: [
      'The scope for a refresh token is spelt `offline.access`, with a dot.',
      'A refresh token is good once, and a second use ends the grant: let no other system refresh the same grant.',
      'Some endpoints for media still want OAuth 1.0a, which Bowline does not speak.',
      'Older clients may still be set up with the host api.twitter.com. It is in use beside api.x.com.',
    ],
  },
});
