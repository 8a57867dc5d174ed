import { defineProvider } from './define-provider.ts';

export const bigcommerce = defineProvider({
  id: 'bigcommerce',
  name: 'BigCommerce',
  tier: 'listed',
  flows: ['authorization_code'],
  variables: {
    storeHash: {
      label: 'Store hash',
      description: "What stands after `store-` in the address of the store's control panel.",
      pattern: '[A-Za-z0-9]{1,32}',
      example: 'abc123xyz',
    },
  },
  endpoints: {
    authorization: 'https://login.bigcommerce.com/oauth2/authorize',
    token: 'https://login.bigcommerce.com/oauth2/token',
  },
  clientAuth: ['client_secret_post'],
  requests: {
    pkce: 'ignored',
    authorizeParams: { context: 'stores/{storeHash}' },
    tokenParams: { context: 'stores/{storeHash}' },
  },
  rotation: 'none',
  metadata: { accountPath: 'context' },
  guide: {
    notes: [
      'A connection belongs to one store. Tokens have no stated end, and there is no refresh token.',
      'No endpoint for tests and none for revocation is known: uninstall the app in the store.',
    ],
  },
});
