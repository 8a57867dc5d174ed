import { defineProvider } from './define-provider.ts';

export const zoomS2s = defineProvider({
  id: 'zoom-s2s',
  name: 'Zoom Server-to-Server',
  tier: 'proven',
  flows: ['account_credentials'],
  variables: {
    account_id: {
      label: 'Account id',
      description: 'Shown with the credentials of the Server-to-Server OAuth app',
      pattern: '[A-Za-z0-9_-]{1,64}',
      example: 'abcDEF123456ghiJKL7890',
    },
  },
  endpoints: {
    token: 'https://zoom.us/oauth/token',
    revocation: 'https://zoom.us/oauth/revoke',
    userinfo: 'https://api.zoom.us/v2/users/me',
  },
  clientAuth: ['client_secret_basic_raw', 'client_secret_basic'],
  requests: { pkce: 'ignored', tokenParams: { account_id: '{account_id}' } },
  scopes: { isUnused: true },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600 },
  answers: {
    errorPaths: ['reason'],
    errorNames: { 'invalid client_id or client_secret': 'invalid_client' },
  },
  metadata: { fromAnswer: ['api_url'] },
  guide: {
    registerAt: 'https://marketplace.zoom.us/develop/create',
    documentation: 'https://developers.zoom.us/docs/internal-apps/s2s-oauth/',
    notes: [
      'Make a "Server-to-Server OAuth app", choose its scopes there, and activate it.',
      'There is no refresh token: a new access token is had with the credentials.',
      'An app that is not activated, or another account’s id, answers invalid_client or invalid_request.',
    ],
  },
});
