import { defineProvider } from './define-provider.ts';

export const ringcentral = defineProvider({
  id: 'ringcentral',
  name: 'RingCentral',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://platform.ringcentral.com/restapi/oauth/authorize',
    token: 'https://platform.ringcentral.com/restapi/oauth/token',
    revocation: 'https://platform.ringcentral.com/restapi/oauth/revoke',
    userinfo: 'https://platform.ringcentral.com/restapi/v1.0/account/~/extension/~',
    test: 'https://platform.ringcentral.com/restapi/v1.0/account/~/extension/~',
  },
  clientAuth: ['client_secret_basic'],
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 604_800 },
  guide: {
    notes: [
      'A refresh token that is unused for 7 days is dead. Bowline refreshes daily; a broker that stands still for a week loses the connection.',
      'RingCentral also has a JWT grant, which this entry does not describe.',
    ],
  },
});
