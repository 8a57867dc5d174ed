import { defineProvider } from './define-provider.ts';

export const shopify = defineProvider({
  id: 'shopify',
  name: 'Shopify (Admin API, offline)',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    shop: {
      label: 'Shop',
      description: 'The name before .myshopify.com',
      pattern: '[a-z0-9][a-z0-9-]{0,62}',
      example: 'example-shop',
    },
    version: {
      label: 'API version',
      description: 'For the test call. Shopify answers for an old one with the oldest that it still has',
      pattern: '20[0-9]{2}-(01|04|07|10)',
      example: '2026-04',
      default: '2026-04',
    },
  },
  endpoints: {
    authorization: 'https://{shop}.myshopify.com/admin/oauth/authorize',
    token: 'https://{shop}.myshopify.com/admin/oauth/access_token',
    revocation: 'https://{shop}.myshopify.com/admin/api_permissions/current.json',
    test: 'https://{shop}.myshopify.com/admin/api/{version}/shop.json',
  },
  clientAuth: ['client_secret_post'],
  requests: {
    pkce: 'ignored',
    // Without it the token has no end, which public apps may not have any longer.
    tokenParams: { expiring: '1' },
    tokenHeader: { name: 'x-shopify-access-token', prefix: '' },
  },
  scopes: { separator: 'comma', clientDefault: '' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 7_776_000 },
  answers: {
    errorNames: { application_cannot_be_found: 'invalid_client', shop_not_permitted: 'unauthorized_client' },
  },
  metadata: { fromAnswer: ['refresh_token_expires_in'] },
  // It uninstalls the app from the shop.
  revocation: { style: 'bearer', method: 'DELETE', isShared: true },
  guide: {
    registerAt: 'https://dev.shopify.com/dashboard',
    documentation:
      'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant',
    notes: [
      'Register the redirect URL to the letter; one connection serves one shop, the one that you name. What the redirect says of the shop is not kept: anybody may change it on the way.',
      'Calls to the Admin API carry the token in the header X-Shopify-Access-Token.',
      'An app and a shop have one refreshable token: a second connection for them ends the first.',
      'Tokens without an end are refused for public apps from 1 January 2027.',
      'Revoking uninstalls the app from the shop, so it is done on request only.',
      'Client credentials are for apps and shops of one organisation, and take no scopes.',
    ],
  },
});
