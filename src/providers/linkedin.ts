import { defineProvider } from './define-provider.ts';

export const linkedin = defineProvider({
  id: 'linkedin',
  name: 'LinkedIn',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://www.linkedin.com/oauth/v2/authorization',
    token: 'https://www.linkedin.com/oauth/v2/accessToken',
    revocation: 'https://www.linkedin.com/oauth/v2/revoke',
    userinfo: 'https://api.linkedin.com/v2/userinfo',
    test: 'https://api.linkedin.com/v2/userinfo',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  rotation: 'none',
  lives: { accessTokenSeconds: 5_184_000, refreshTokenSeconds: 31_536_000, keepAliveSeconds: 2_592_000 },
  guide: {
    notes: [
      'Only clients of approved partner programmes get a refresh token. All others have to authorize again when the access token ends, after about 60 days.',
      'A refresh does not lengthen the life of the refresh token: 365 days after the authorization a person has to authorize again.',
    ],
  },
});
