import { defineProvider } from './define-provider.ts';

export const dropbox = defineProvider({
  id: 'dropbox',
  name: 'Dropbox',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://www.dropbox.com/oauth2/authorize',
    token: 'https://api.dropboxapi.com/oauth2/token',
    revocation: 'https://api.dropboxapi.com/2/auth/token/revoke',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { authorizeParams: { token_access_type: 'offline' } },
  rotation: 'none',
  lives: { accessTokenSeconds: 14_400 },
  // The code and its explanation are one text.
  answers: { errorNames: { 'invalid_client: invalid client_id or client_secret': 'invalid_client' } },
  metadata: { fromAnswer: ['account_id', 'uid', 'team_id'], accountPath: 'account_id' },
  revocation: { style: 'bearer' },
  guide: {
    registerAt: 'https://www.dropbox.com/developers/apps',
    documentation: 'https://developers.dropbox.com/oauth-guide',
    notes: [
      'Choose the scopes under "Permissions" before anybody signs in: a token keeps those that it was made with.',
      'A refresh token does not end by itself.',
      'Until the app is approved for production only a limited number of accounts can be connected.',
    ],
  },
});
