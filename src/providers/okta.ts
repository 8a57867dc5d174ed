import { defineProvider } from './define-provider.ts';

export const okta = defineProvider({
  id: 'okta',
  name: 'Okta',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials', 'token_exchange'],
  variables: {
    domain: {
      label: 'Okta domain',
      description: 'The host of the organisation, without https://.',
      pattern: '[A-Za-z0-9][A-Za-z0-9-]{0,62}([.][A-Za-z0-9-]{1,63}){1,5}',
      example: 'acme.okta.com',
    },
    authServerId: {
      label: 'Authorization server',
      description: 'The id of the custom authorization server that issues the tokens.',
      pattern: '[A-Za-z0-9_-]{1,64}',
      example: 'default',
    },
  },
  endpoints: {
    authorization: 'https://{domain}/oauth2/{authServerId}/v1/authorize',
    token: 'https://{domain}/oauth2/{authServerId}/v1/token',
    revocation: 'https://{domain}/oauth2/{authServerId}/v1/revoke',
    userinfo: 'https://{domain}/oauth2/{authServerId}/v1/userinfo',
    test: 'https://{domain}/oauth2/{authServerId}/v1/userinfo',
  },
  clientAuth: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  scopes: { offline: 'offline_access' },
  rotation: 'unknown',
  lives: { accessTokenSeconds: 3600 },
  answers: { errorNames: { multiple_client_credentials: 'invalid_client' } },
  guide: {
    notes: [
      'Whether refresh tokens are replaced at each use is set at the application. Where they are, Okta takes the old one for another 30 seconds unless you set another time.',
    ],
  },
});
