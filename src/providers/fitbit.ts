import { defineProvider } from './define-provider.ts';

export const fitbit = defineProvider({
  id: 'fitbit',
  name: 'Fitbit',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://www.fitbit.com/oauth2/authorize',
    token: 'https://api.fitbit.com/oauth2/token',
    revocation: 'https://api.fitbit.com/oauth2/revoke',
    userinfo: 'https://api.fitbit.com/1/user/-/profile.json',
    test: 'https://api.fitbit.com/1/user/-/profile.json',
  },
  clientAuth: ['client_secret_basic'],
  rotation: 'strict',
  lives: { accessTokenSeconds: 28_800 },
  guide: {
    notes: [
      'A refresh token is good once, though the same request within two minutes gives the same answer: let no other system refresh the same grant.',
    ],
  },
});
