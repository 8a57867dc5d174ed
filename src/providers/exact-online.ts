import { defineProvider } from './define-provider.ts';

export const exactOnline = defineProvider({
  id: 'exact-online',
  name: 'Exact Online',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  variables: {
    tld: {
      label: 'Country',
      description: 'What stands after `exactonline.` in the address at which the organisation signs in.',
      pattern: 'nl|be|de|fr|es|co[.]uk|com',
      example: 'nl',
    },
  },
  endpoints: {
    authorization: 'https://start.exactonline.{tld}/api/oauth2/auth',
    token: 'https://start.exactonline.{tld}/api/oauth2/token',
    userinfo: 'https://start.exactonline.{tld}/api/v1/current/Me',
    test: 'https://start.exactonline.{tld}/api/v1/current/Me',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { pkce: 'ignored' },
  scopes: { isUnused: true },
  rotation: 'strict',
  lives: {
    accessTokenSeconds: 600,
    refreshTokenSeconds: 2_592_000,
    keepAliveSeconds: 604_800,
    refreshMarginSeconds: 30,
  },
  guide: {
    notes: [
      'Access tokens live 10 minutes and may be refreshed in their last 30 seconds only: a workflow that asks for more life than that may get a token that is about to end.',
      'No revocation endpoint is known: remove the app in the Exact Online account.',
    ],
  },
});
