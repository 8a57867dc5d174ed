import { defineProvider } from './define-provider.ts';

export const quickbooks = defineProvider({
  id: 'quickbooks',
  name: 'QuickBooks Online (Intuit)',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token'],
  variables: {
    environment: {
      label: 'Environment',
      description: 'Sandbox companies have other keys and another API host, and the same sign-in',
      pattern: 'production|sandbox',
      example: 'production',
      default: 'production',
      choices: { production: 'accounts', sandbox: 'sandbox-accounts' },
    },
  },
  endpoints: {
    authorization: 'https://appcenter.intuit.com/connect/oauth2',
    token: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    revocation: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    userinfo: 'https://{environment}.platform.intuit.com/v1/openid_connect/userinfo',
  },
  clientAuth: ['client_secret_basic_raw', 'client_secret_basic'],
  requests: { pkce: 'ignored' },
  scopes: { default: 'com.intuit.quickbooks.accounting' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 8_640_000 },
  metadata: { fromCallback: { realmId: 'realm_id' }, fromAnswer: ['x_refresh_token_expires_in'] },
  revocation: { bodyFormat: 'json', reach: 'account' },
  guide: {
    registerAt: 'https://developer.intuit.com/app/developer/dashboard',
    documentation:
      'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
    notes: [
      'Register the redirect URI under "Keys & credentials", for development and production apart.',
      'realm_id of the credentials is the company: every call to the API names it. It comes from the redirect, where the person could change it: it is no proof of which company was chosen, and a token serves its own company only. Without the scope openid nobody can tell which person signed in.',
      'The API is at quickbooks.api.intuit.com, for sandbox companies at sandbox-quickbooks.api.intuit.com.',
      'The refresh token changes about once a day, and the one before stops working then. It ends when unused for 100 days, and after five years in any case.',
    ],
  },
});
