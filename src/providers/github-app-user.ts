import { defineProvider } from './define-provider.ts';

export const githubAppUser = defineProvider({
  id: 'github-app-user',
  name: 'GitHub App (user token)',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'device_code'],
  endpoints: {
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    revocation: 'https://api.github.com/applications/{client_id}/token',
    userinfo: 'https://api.github.com/user',
    test: 'https://api.github.com/user',
    deviceAuthorization: 'https://github.com/login/device/code',
  },
  clientAuth: ['client_secret_post'],
  requests: { headers: { accept: 'application/json' } },
  scopes: { isUnused: true },
  rotation: 'strict',
  // No life is stated where the App has expiring user tokens switched off: such a token has no end.
  lives: { refreshTokenSeconds: 15_897_600 },
  answers: {
    errorNames: {
      bad_refresh_token: 'invalid_grant',
      bad_verification_code: 'invalid_grant',
      incorrect_client_credentials: 'invalid_client',
      redirect_uri_mismatch: 'invalid_request',
      application_suspended: 'unauthorized_client',
    },
  },
  metadata: { fromAnswer: ['refresh_token_expires_in'] },
  revocation: { style: 'client_json', method: 'DELETE' },
  guide: {
    registerAt: 'https://github.com/settings/apps',
    documentation:
      'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app',
    notes: [
      'Register the redirect URI as a callback URL of the GitHub App.',
      'Permissions are set on the App, and on its installation: there is no scope.',
      'Keep "Expire user authorization tokens" on. With it off, tokens have no end and no refresh token.',
      'Refresh tokens are good once, and live for six months.',
    ],
  },
});
