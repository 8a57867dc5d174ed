import { defineProvider } from './define-provider.ts';

export const servicenow = defineProvider({
  id: 'servicenow',
  name: 'ServiceNow',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    instance: {
      label: 'Instance',
      description: 'What stands before `.service-now.com` in the address of the instance.',
      pattern: '[a-z0-9][a-z0-9-]{0,62}',
      example: 'acme',
    },
  },
  endpoints: {
    authorization: 'https://{instance}.service-now.com/oauth_auth.do',
    token: 'https://{instance}.service-now.com/oauth_token.do',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  rotation: 'none',
  lives: { accessTokenSeconds: 1800, refreshTokenSeconds: 8_640_000, keepAliveSeconds: 604_800 },
  guide: {
    notes: [
      'How long tokens live is set at the application registry of the instance. About 100 days are assumed for refresh tokens: give them no less than 30.',
      'The password and JWT grants of ServiceNow are not described here.',
      'No endpoint for tests and none for revocation is known: set `test_url` to what your scopes may read.',
    ],
  },
});
