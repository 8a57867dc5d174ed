import { defineProvider } from './define-provider.ts';

export const tiktok = defineProvider({
  id: 'tiktok',
  name: 'TikTok Login Kit',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://www.tiktok.com/v2/auth/authorize/',
    token: 'https://open.tiktokapis.com/v2/oauth/token/',
    revocation: 'https://open.tiktokapis.com/v2/oauth/revoke/',
    userinfo: 'https://open.tiktokapis.com/v2/user/info/',
    test: 'https://open.tiktokapis.com/v2/user/info/?fields=open_id',
  },
  clientAuth: ['client_secret_post'],
  requests: { renamedParams: { client_id: 'client_key' } },
  scopes: { separator: 'comma' },
  rotation: 'unknown',
  lives: { accessTokenSeconds: 86_400, refreshTokenSeconds: 31_536_000, keepAliveSeconds: 2_592_000 },
  metadata: { accountPath: 'open_id' },
  guide: {
    notes: [
      'Enter the client key as the client id.',
      'This is Login Kit. The business API has other endpoints and wraps its answers: it needs a connection with endpoints of its own.',
    ],
  },
});
