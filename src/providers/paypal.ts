import { defineProvider } from './define-provider.ts';

export const paypal = defineProvider({
  id: 'paypal',
  name: 'PayPal',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://www.paypal.com/signin/authorize',
    token: 'https://api-m.paypal.com/v1/oauth2/token',
    revocation: 'https://api-m.paypal.com/v1/oauth2/token/terminate',
    userinfo: 'https://api-m.paypal.com/v1/identity/oauth2/userinfo?schema=paypalv1.1',
    test: 'https://api-m.paypal.com/v1/identity/oauth2/userinfo?schema=paypalv1.1',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'ignored' },
  rotation: 'none',
  lives: { accessTokenSeconds: 28_800 },
  guide: {
    notes: [
      'These are the hosts of the live system. The sandbox has others: it needs a connection with endpoints of its own.',
      'Most scopes are written as URLs. Enter them whole.',
    ],
  },
});
