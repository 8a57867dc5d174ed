import { defineProvider } from './define-provider.ts';

export const gitlab = defineProvider({
  id: 'gitlab',
  name: 'GitLab',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials', 'device_code'],
  variables: {
    host: {
      label: 'Host',
      description: 'Of a self-managed instance, with its port where it has one',
      pattern: '[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?',
      example: 'gitlab.example.com',
      default: 'gitlab.com',
    },
  },
  endpoints: {
    authorization: 'https://{host}/oauth/authorize',
    token: 'https://{host}/oauth/token',
    issuer: 'https://{host}',
    revocation: 'https://{host}/oauth/revoke',
    introspection: 'https://{host}/oauth/introspect',
    userinfo: 'https://{host}/oauth/userinfo',
    deviceAuthorization: 'https://{host}/oauth/authorize_device',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { repeatsRedirectUri: true },
  scopes: { default: 'openid read_user', clientDefault: 'read_user' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 7200 },
  metadata: { fromAnswer: ['created_at'] },
  guide: {
    registerAt: 'https://gitlab.com/-/user_settings/applications',
    documentation: 'https://docs.gitlab.com/api/oauth2/',
    notes: [
      'Register a confidential application with every scope that the connection names, openid included.',
      'The old refresh token is revoked as soon as it was used.',
      'The device flow needs GitLab 17.1 or newer.',
    ],
  },
});
