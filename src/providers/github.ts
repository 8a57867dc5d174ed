import { defineProvider } from './define-provider.ts';

export const github = defineProvider({
  id: 'github',
  name: 'GitHub OAuth App',
  tier: 'proven',
  flows: ['authorization_code', 'device_code'],
  endpoints: {
    authorization: 'https://github.com/login/oauth/authorize',
    token: 'https://github.com/login/oauth/access_token',
    revocation: 'https://api.github.com/applications/{client_id}/token',
    userinfo: 'https://api.github.com/user',
    test: 'https://api.github.com/user',
    deviceAuthorization: 'https://github.com/login/device/code',
  },
  clientAuth: ['client_secret_post'],
  // Without it the token answer comes form-encoded.
  requests: { headers: { accept: 'application/json' } },
  rotation: 'none',
  answers: {
    errorNames: {
      bad_verification_code: 'invalid_grant',
      incorrect_client_credentials: 'invalid_client',
      redirect_uri_mismatch: 'invalid_request',
      application_suspended: 'unauthorized_client',
    },
  },
  revocation: { style: 'client_json', method: 'DELETE' },
  guide: {
    registerAt: 'https://github.com/settings/developers',
    documentation: 'https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps',
    notes: [
      'An OAuth App has one callback URL; a GitHub App is the better choice where it can do the job.',
      'Tokens do not end, but one that was not used for a year is removed.',
      'An organisation may have to approve the application before its repositories can be seen.',
      'The device flow is switched on in the settings of the application.',
      'Answers list the granted scopes with commas; a scope that contains another one replaces it.',
    ],
  },
});
