import { defineProvider } from './define-provider.ts';

export const zoho = defineProvider({
  id: 'zoho',
  name: 'Zoho',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    dc: {
      label: 'Data centre',
      description: 'What stands after `zoho.` in the address at which the organisation signs in.',
      pattern: 'com|eu|in|com[.]au|jp|sa|uk|com[.]cn',
      example: 'com',
    },
  },
  endpoints: {
    authorization: 'https://accounts.zoho.{dc}/oauth/v2/auth',
    token: 'https://accounts.zoho.{dc}/oauth/v2/token',
    revocation: 'https://accounts.zoho.{dc}/oauth/v2/token/revoke',
    userinfo: 'https://accounts.zoho.{dc}/oauth/user/info',
    test: 'https://accounts.zoho.{dc}/oauth/user/info',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored', authorizeParams: { access_type: 'offline', prompt: 'consent' } },
  scopes: { separator: 'comma' },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600 },
  // Too many access tokens in ten minutes.
  answers: { errorNames: { 'access denied': 'temporarily_unavailable' } },
  guide: {
    notes: [
      'Each data centre has hosts of its own, and a connection serves the people of the one that you set: others need a connection of their own. What the redirect says of the data centre is not kept, as anybody may change it on the way.',
      'Canada signs in at a host of another form: it needs a connection with endpoints of its own.',
      'The host of the API is kept from the answer under `api_domain`.',
      'Zoho gives at most 10 access tokens in 10 minutes for a refresh token: do not force refreshes in a loop.',
      'A person has at most 20 refresh tokens; authorizing once more ends the oldest, and with it an older connection.',
    ],
  },
});
