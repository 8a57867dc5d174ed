import { defineProvider } from './define-provider.ts';

export const microsoft = defineProvider({
  id: 'microsoft',
  name: 'Microsoft Entra ID / Graph',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials', 'device_code'],
  variables: {
    tenant: {
      label: 'Directory (tenant)',
      description:
        'Tenant id or a domain of the tenant. `organizations`, `common` or `consumers` where the application is open to accounts of other tenants; client credentials need a tenant of their own',
      pattern: '[A-Za-z0-9][A-Za-z0-9.-]{0,252}',
      example: '00001111-aaaa-2222-bbbb-3333cccc4444',
    },
  },
  endpoints: {
    authorization: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    token: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    deviceAuthorization: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/devicecode',
    userinfo: 'https://graph.microsoft.com/oidc/userinfo',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { authorizeParams: { response_mode: 'query' } },
  scopes: {
    default: 'openid profile email offline_access https://graph.microsoft.com/User.Read',
    clientDefault: 'https://graph.microsoft.com/.default',
    offline: 'offline_access',
  },
  rotation: 'overlap',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 7_776_000 },
  metadata: { fromAnswer: ['ext_expires_in'] },
  guide: {
    registerAt: 'https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade',
    documentation: 'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
    notes: [
      'Add the redirect URI under the platform "Web": under "Single-page application" refresh tokens live for 24 hours only.',
      'Without the scope offline_access there is no refresh token.',
      'One token serves one resource: the scopes of a connection may not mix Microsoft Graph with another API.',
      'Client credentials take exactly one scope, the resource with /.default, and an administrator’s consent beforehand.',
      'The client secret has an end date of its own. After it every refresh fails with invalid_client (AADSTS7000222).',
      'Certificates are not supported: Microsoft wants assertions to name the certificate (x5t), and Bowline has keys only.',
      'The end of an administrator’s consent comes back with tenant= and without a code: it connects nothing.',
      'There is no revocation endpoint: a person withdraws the consent at https://myapplications.microsoft.com.',
    ],
  },
});
