import { defineProvider } from './define-provider.ts';

export const instagram = defineProvider({
  id: 'instagram',
  name: 'Instagram (business login)',
  tier: 'listed',
  flows: ['authorization_code'],
  endpoints: {
    authorization: 'https://www.instagram.com/oauth/authorize',
    token: 'https://api.instagram.com/oauth/access_token',
    userinfo: 'https://graph.instagram.com/me',
    test: 'https://graph.instagram.com/me',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  scopes: { separator: 'comma' },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600 },
  guide: {
    notes: [
      "The token that a person's authorization gives lives an hour, and there is no refresh token: the connection then has to be authorized again.",
      'Tokens of 60 days come from https://graph.instagram.com/access_token (grant `ig_exchange_token`) and are renewed with themselves at https://graph.instagram.com/refresh_access_token, once they are 24 hours old. Bowline has neither of the two.',
      'No revocation endpoint is known: remove the app in the Instagram account.',
    ],
  },
});
