import { defineProvider } from './define-provider.ts';

export const canva = defineProvider({
  id: 'canva',
  name: 'Canva',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://www.canva.com/api/oauth/authorize',
    token: 'https://api.canva.com/rest/v1/oauth/token',
    revocation: 'https://api.canva.com/rest/v1/oauth/revoke',
    userinfo: 'https://api.canva.com/rest/v1/users/me',
    test: 'https://api.canva.com/rest/v1/users/me',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'required' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 14_400 },
  guide: {
    notes: [
      'A refresh token that is used a second time ends every token that came from the same authorization: let no other system refresh the same grant.',
    ],
  },
});
