import { defineProvider } from './define-provider.ts';

export const intercom = defineProvider({
  id: 'intercom',
  name: 'Intercom',
  tier: 'listed',
  flows: ['authorization_code'],
  endpoints: {
    authorization: 'https://app.intercom.com/oauth',
    token: 'https://api.intercom.io/auth/eagle/token',
    revocation: 'https://api.intercom.io/auth/uninstall',
    userinfo: 'https://api.intercom.io/me',
    test: 'https://api.intercom.io/me',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  scopes: { isUnused: true },
  rotation: 'none',
  revocation: { style: 'bearer', isShared: true },
  guide: {
    notes: [
      'Access tokens have no stated end and there is no refresh token.',
      'Revoking uninstalls the app from the workspace, for every connection to that workspace.',
      'Workspaces are hosted in the US, the EU or Australia. One outside the US may need a connection with endpoints of its own.',
    ],
  },
});
