import { defineProvider } from './define-provider.ts';

export const reddit = defineProvider({
  id: 'reddit',
  name: 'Reddit',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://www.reddit.com/api/v1/authorize',
    token: 'https://www.reddit.com/api/v1/access_token',
    revocation: 'https://www.reddit.com/api/v1/revoke_token',
    userinfo: 'https://oauth.reddit.com/api/v1/me',
    test: 'https://oauth.reddit.com/api/v1/me',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'ignored', authorizeParams: { duration: 'permanent' }, headers: { 'User-Agent': 'bowline/1' } },
  rotation: 'none',
  lives: { accessTokenSeconds: 86_400 },
  guide: {
    notes: [
      'Reddit answers requests without a User-Agent of their own with status 429. Bowline sends one; workflows must send theirs to the API.',
      'The password grant, which Reddit offers for scripts, is left out on purpose.',
    ],
  },
});
