import { defineProvider } from './define-provider.ts';

export const oidc = defineProvider({
  id: 'oidc',
  name: 'OpenID Connect',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials', 'device_code', 'token_exchange'],
  variables: {
    issuer: {
      label: 'Issuer',
      description: 'As the server spells it in its metadata, to the letter',
      // Whether http may be used at all is for the URL policy to say.
      pattern: 'https?://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?',
      example: 'https://login.example.com',
    },
  },
  discovers: true,
  endpoints: { token: '', issuer: '{issuer}' },
  clientAuth: ['client_secret_basic', 'client_secret_basic_raw', 'client_secret_post', 'private_key_jwt', 'none'],
  scopes: { default: 'openid profile email offline_access', clientDefault: '', offline: 'offline_access' },
  rotation: 'unknown',
  guide: {
    documentation: 'https://openid.net/specs/openid-connect-discovery-1_0.html',
    notes: [
      'The endpoints come from the issuer’s metadata when the connection is made.',
      'The issuer is compared to the letter: a slash at its end counts.',
      'Many servers give no refresh token without the scope offline_access; some refuse it.',
      'Whether refresh tokens are good once is not known, so each is used once.',
    ],
  },
});
