import { defineProvider } from './define-provider.ts';

export const facebook = defineProvider({
  id: 'facebook',
  name: 'Facebook / Meta',
  tier: 'listed',
  flows: ['authorization_code', 'client_credentials'],
  endpoints: {
    authorization: 'https://www.facebook.com/v22.0/dialog/oauth',
    token: 'https://graph.facebook.com/v22.0/oauth/access_token',
    revocation: 'https://graph.facebook.com/me/permissions',
    userinfo: 'https://graph.facebook.com/me',
    test: 'https://graph.facebook.com/me',
  },
  clientAuth: ['client_secret_post'],
  scopes: { separator: 'comma' },
  rotation: 'none',
  lives: { accessTokenSeconds: 5_184_000 },
  revocation: { style: 'bearer', method: 'DELETE', isShared: true },
  guide: {
    notes: [
      'There is no refresh token. A token is lengthened to about 60 days by the grant `fb_exchange_token`, which Bowline does not have: a person authorizes again when it ends.',
      'The addresses name version 22.0 of the API. Versions end: afterwards use a connection with endpoints of its own.',
      'Revoking takes all permissions from the app, for every connection of that person.',
    ],
  },
});
