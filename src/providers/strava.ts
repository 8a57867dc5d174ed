import { defineProvider } from './define-provider.ts';

export const strava = defineProvider({
  id: 'strava',
  name: 'Strava',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://www.strava.com/oauth/authorize',
    token: 'https://www.strava.com/api/v3/oauth/token',
    revocation: 'https://www.strava.com/oauth/deauthorize',
    userinfo: 'https://www.strava.com/api/v3/athlete',
    test: 'https://www.strava.com/api/v3/athlete',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored', authorizeParams: { approval_prompt: 'auto' } },
  scopes: { separator: 'comma' },
  rotation: 'unknown',
  lives: { accessTokenSeconds: 21_600, refreshMarginSeconds: 3600 },
  revocation: { style: 'bearer', isShared: true },
  guide: {
    notes: [
      'A new access token comes only in the last hour of the old one: a refresh before that answers with the token that is already there.',
      'Revoking ends the access of your application to the athlete, for every connection of that person.',
    ],
  },
});
