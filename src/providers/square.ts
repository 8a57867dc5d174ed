import { defineProvider } from './define-provider.ts';

export const square = defineProvider({
  id: 'square',
  name: 'Square',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://connect.squareup.com/oauth2/authorize',
    token: 'https://connect.squareup.com/oauth2/token',
    userinfo: 'https://connect.squareup.com/v2/merchants/me',
    test: 'https://connect.squareup.com/v2/merchants/me',
  },
  clientAuth: ['client_secret_post'],
  requests: { authorizeParams: { session: 'false' }, bodyFormat: 'json' },
  rotation: 'unknown',
  lives: { accessTokenSeconds: 2_592_000 },
  guide: {
    notes: [
      'Refresh tokens are good once where PKCE is in use and stay the same elsewhere. They are treated as good once.',
      'Square revokes at https://connect.squareup.com/oauth2/revoke with `Authorization: Client SECRET`, which Bowline does not send: remove the app in the Square account.',
    ],
  },
});
