import { defineProvider } from './define-provider.ts';

export const discord = defineProvider({
  id: 'discord',
  name: 'Discord',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://discord.com/oauth2/authorize',
    token: 'https://discord.com/api/oauth2/token',
    revocation: 'https://discord.com/api/oauth2/token/revoke',
    userinfo: 'https://discord.com/api/users/@me',
    test: 'https://discord.com/api/users/@me',
  },
  clientAuth: ['client_secret_basic', 'client_secret_post'],
  requests: { authorizeParams: { prompt: 'consent' } },
  rotation: 'strict',
  lives: { accessTokenSeconds: 604_800 },
  guide: {
    notes: ['Where a bot is installed, the answer also names the server that it joined: it is kept under `guild`.'],
  },
});
