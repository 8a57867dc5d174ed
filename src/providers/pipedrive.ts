import { defineProvider } from './define-provider.ts';

export const pipedrive = defineProvider({
  id: 'pipedrive',
  name: 'Pipedrive',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://oauth.pipedrive.com/oauth/authorize',
    token: 'https://oauth.pipedrive.com/oauth/token',
    revocation: 'https://oauth.pipedrive.com/oauth/revoke',
    userinfo: 'https://api.pipedrive.com/v1/users/me',
    test: 'https://api.pipedrive.com/v1/users/me',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'ignored' },
  scopes: { isUnused: true },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 5_184_000, keepAliveSeconds: 604_800 },
  guide: { notes: ['Each company has a host of its own for the API: it is kept from the answer under `api_domain`.'] },
});
