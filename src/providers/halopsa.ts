import { defineProvider } from './define-provider.ts';

export const halopsa = defineProvider({
  id: 'halopsa',
  name: 'HaloPSA',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    base_url: {
      label: 'Base URL',
      description: 'Of the instance: what stands before /auth in "Authorisation server"',
      pattern: 'https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?',
      example: 'https://example.halopsa.com',
    },
    tenant: {
      label: 'Tenant',
      description: 'Of an instance that Halo hosts. Empty for one of your own',
      pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,62}',
      example: 'example',
      default: '',
    },
  },
  endpoints: {
    authorization: '{base_url}/auth/authorize',
    token: '{base_url}/auth/token?tenant={tenant}',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  scopes: { default: 'all offline_access', clientDefault: 'all', offline: 'offline_access' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600 },
  guide: {
    registerAt: null,
    documentation: 'https://haloservicedesk.com/apidoc/authentication/',
    notes: [
      'Register under Configuration, Integrations, Halo API, View applications: "Authorisation Code" with the redirect URI, or "Client ID and Secret" for client credentials.',
      '"API details" on that page has the base URL, and the tenant of a hosted instance.',
      'What a token may do is limited by the permissions of the application and by those of the agent.',
      'Without the scope offline_access there is no refresh token.',
    ],
  },
});
