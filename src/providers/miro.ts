import { defineProvider } from './define-provider.ts';

export const miro = defineProvider({
  id: 'miro',
  name: 'Miro',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://miro.com/oauth/authorize',
    token: 'https://api.miro.com/v1/oauth/token',
    revocation: 'https://api.miro.com/v2/oauth/revoke',
    userinfo: 'https://api.miro.com/v1/oauth-token',
    test: 'https://api.miro.com/v1/oauth-token',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  rotation: 'strict',
  lives: { refreshTokenSeconds: 5_184_000, keepAliveSeconds: 604_800 },
  metadata: { accountPath: 'user_id' },
  guide: {
    notes: [
      'Choose expiring tokens when you create the app. Without them a token is good until the app is uninstalled, and there is no refresh token.',
      'The team that the app was installed in is kept from the answer under `team_id`.',
    ],
  },
});
