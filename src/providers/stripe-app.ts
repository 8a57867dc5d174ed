import { defineProvider } from './define-provider.ts';

export const stripeApp = defineProvider({
  id: 'stripe-app',
  name: 'Stripe Apps',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://marketplace.stripe.com/oauth/v2/authorize',
    token: 'https://api.stripe.com/v1/oauth/token',
    userinfo: 'https://api.stripe.com/v1/account',
    test: 'https://api.stripe.com/v1/account',
  },
  clientAuth: ['client_secret_basic_as_user'],
  requests: { pkce: 'ignored' },
  scopes: { isUnused: true },
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 31_536_000, keepAliveSeconds: 2_592_000 },
  guide: {
    notes: [
      'The client secret is the secret API key of the account that owns the app. Stripe takes it as the user name of HTTP Basic, without a password.',
      'Answers state no life: an access token is taken to live an hour.',
      'Disconnecting an account is a call to https://connect.stripe.com/oauth/deauthorize that names the account and not the token. Bowline does not make it.',
    ],
  },
});
