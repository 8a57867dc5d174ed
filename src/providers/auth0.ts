import { defineProvider } from './define-provider.ts';

export const auth0 = defineProvider({
  id: 'auth0',
  name: 'Auth0',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    domain: {
      label: 'Auth0 domain',
      description: 'The host of the tenant, without https://.',
      pattern: '[A-Za-z0-9][A-Za-z0-9-]{0,62}([.][A-Za-z0-9-]{1,63}){1,5}',
      example: 'acme.eu.auth0.com',
    },
    api: {
      label: 'API identifier',
      description: 'The identifier (audience) of the API that the tokens are for. Client credentials need it.',
      pattern: '[A-Za-z0-9:/._~-]{1,255}',
      example: 'https://api.example.com/',
      default: '',
    },
  },
  endpoints: {
    authorization: 'https://{domain}/authorize',
    token: 'https://{domain}/oauth/token',
    revocation: 'https://{domain}/oauth/revoke',
    userinfo: 'https://{domain}/userinfo',
    test: 'https://{domain}/userinfo',
  },
  clientAuth: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  requests: { authorizeParams: { audience: '{api}' }, tokenParams: { audience: '{api}' } },
  rotation: 'unknown',
  lives: { accessTokenSeconds: 86_400 },
  guide: {
    notes: [
      'Ask for the scope `offline_access` where a refresh token is needed.',
      'Whether refresh tokens are replaced at each use is set at the application.',
      'A person has at most 200 live refresh tokens for an application: one more ends the oldest, and with it an older connection.',
      'The password grant, which Auth0 offers, is left out on purpose.',
    ],
  },
});
