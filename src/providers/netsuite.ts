import { defineProvider } from './define-provider.ts';

export const netsuite = defineProvider({
  id: 'netsuite',
  name: 'NetSuite OAuth 2',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  variables: {
    accountId: {
      label: 'Account id',
      description: 'As it stands in the address of the account: small letters, with a hyphen for an underscore.',
      pattern: '[a-z0-9][a-z0-9-]{0,62}',
      example: '1234567',
    },
  },
  endpoints: {
    authorization: 'https://{accountId}.app.netsuite.com/app/login/oauth2/authorize.nl',
    token: 'https://{accountId}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token',
    revocation: 'https://{accountId}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/revoke',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'required' },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 604_800 },
  guide: {
    notes: [
      'A refresh token lives 7 days: after that a person has to authorize again.',
      'For unattended use NetSuite has client credentials with a certificate (a JWT signed by PS256 or ES256), which this entry does not describe.',
      'To keep a signed-in person from being asked again, set `prompt` to `none` in `extra_authorize_params`.',
      'No endpoint for tests is known: set `test_url` to an address of the account that your scopes may read.',
    ],
  },
});
