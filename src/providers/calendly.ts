import { defineProvider } from './define-provider.ts';

export const calendly = defineProvider({
  id: 'calendly',
  name: 'Calendly',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://auth.calendly.com/oauth/authorize',
    token: 'https://auth.calendly.com/oauth/token',
    revocation: 'https://auth.calendly.com/oauth/revoke',
    userinfo: 'https://api.calendly.com/users/me',
    test: 'https://api.calendly.com/users/me',
  },
  clientAuth: ['client_secret_basic', 'client_secret_post'],
  scopes: { isUnused: true },
  rotation: 'strict',
  lives: { accessTokenSeconds: 7200 },
  metadata: { accountPath: 'owner' },
  guide: {
    notes: [
      'The addresses of the owner and the organisation in the API are kept under `owner` and `organization`: calls to the API need them.',
    ],
  },
});
