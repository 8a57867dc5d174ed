import { defineProvider } from './define-provider.ts';

export const ebay = defineProvider({
  id: 'ebay',
  name: 'eBay',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    ruName: {
      label: 'RuName',
      description: 'The name under which eBay knows the redirect URL. eBay gives it when the URL is registered.',
      pattern: '[A-Za-z0-9._-]{1,128}',
      example: 'Acme-AcmeApp-PRD-abcde',
    },
  },
  endpoints: {
    authorization: 'https://auth.ebay.com/oauth2/authorize',
    token: 'https://api.ebay.com/identity/v1/oauth2/token',
    revocation: 'https://api.ebay.com/identity/v1/oauth2/revoke',
    userinfo: 'https://apiz.ebay.com/commerce/identity/v1/user/',
    test: 'https://apiz.ebay.com/commerce/identity/v1/user/',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'ignored', redirectUri: '{ruName}' },
  rotation: 'none',
  lives: { accessTokenSeconds: 7200, refreshTokenSeconds: 47_304_000, keepAliveSeconds: 2_592_000 },
  guide: {
    notes: [
      "Register Bowline's redirect URL at eBay as the address for accepted consent. eBay names the pair a RuName, and requests carry that name in place of the URL.",
    ],
  },
});
