import { defineProvider } from './define-provider.ts';

export const monday = defineProvider({
  id: 'monday',
  name: 'monday.com',
  tier: 'listed',
  flows: ['authorization_code'],
  endpoints: {
    authorization: 'https://auth.monday.com/oauth2/authorize',
    token: 'https://auth.monday.com/oauth2/token',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  rotation: 'none',
  guide: {
    notes: [
      'A token is good until the app is uninstalled from the account; there is no refresh token, and no revocation endpoint is known.',
      'To have the app installed on the way, set `force_install_if_needed` to `true` in `extra_authorize_params`.',
      'The API speaks GraphQL only, by POST to https://api.monday.com/v2, so Bowline cannot test a token.',
    ],
  },
});
