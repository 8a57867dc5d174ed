import { defineProvider } from './define-provider.ts';

export const zoom = defineProvider({
  id: 'zoom',
  name: 'Zoom',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'device_code'],
  endpoints: {
    authorization: 'https://zoom.us/oauth/authorize',
    token: 'https://zoom.us/oauth/token',
    revocation: 'https://zoom.us/oauth/revoke',
    userinfo: 'https://api.zoom.us/v2/users/me',
    deviceAuthorization: 'https://zoom.us/oauth/devicecode',
  },
  clientAuth: ['client_secret_basic_raw', 'client_secret_basic'],
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 7_776_000 },
  answers: {
    // A dead refresh token was called invalid_request for years: the reason tells.
    errorPaths: ['reason'],
    errorNames: { 'invalid token!': 'invalid_grant', 'invalid client_id or client_secret': 'invalid_client' },
  },
  metadata: { fromAnswer: ['api_url'] },
  guide: {
    registerAt: 'https://marketplace.zoom.us/develop/create',
    documentation: 'https://developers.zoom.us/docs/integrations/oauth/',
    notes: [
      'Make a "General app", and enter the redirect URL both as such and in the allow list.',
      'Scopes are chosen in the app: leave scopes empty. user:read is needed to know whose account it is.',
      'Refresh tokens are good once and live for 90 days.',
      'api_url of the credentials is where the account’s API lies.',
      'The device flow has to be enabled by Zoom for the app.',
    ],
  },
});
