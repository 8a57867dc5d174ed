import { defineProvider } from './define-provider.ts';

export const sage = defineProvider({
  id: 'sage',
  name: 'Sage Accounting',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://www.sageone.com/oauth2/auth/central',
    token: 'https://oauth.accounting.sage.com/token',
    revocation: 'https://oauth.accounting.sage.com/revoke',
    userinfo: 'https://api.accounting.sage.com/v3.1/user',
    test: 'https://api.accounting.sage.com/v3.1/user',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored', authorizeParams: { filter: 'apiv3.1' } },
  rotation: 'strict',
  lives: { accessTokenSeconds: 300, refreshTokenSeconds: 2_678_400, keepAliveSeconds: 604_800 },
  guide: { notes: ['Access tokens live 5 minutes: let workflows ask for credentials at each run and not keep them.'] },
});
