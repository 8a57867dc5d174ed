import { defineProvider } from './define-provider.ts';

export const stripe = defineProvider({
  id: 'stripe',
  name: 'Stripe Connect (standard)',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://connect.stripe.com/oauth/authorize',
    token: 'https://connect.stripe.com/oauth/token',
    userinfo: 'https://api.stripe.com/v1/account',
    test: 'https://api.stripe.com/v1/account',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  scopes: { default: 'read_write' },
  rotation: 'none',
  metadata: { accountPath: 'stripe_user_id' },
  guide: {
    notes: [
      'The client secret is the secret API key of your platform. A connection is in test or in live mode by that key.',
      'Access tokens have no stated end. A refresh token is good for a token of another mode or scope only.',
      'Disconnecting an account is a call to https://connect.stripe.com/oauth/deauthorize that names the account and not the token. Bowline does not make it.',
    ],
  },
});
