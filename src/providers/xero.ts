import { defineProvider } from './define-provider.ts';

export const xero = defineProvider({
  id: 'xero',
  name: 'Xero',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://login.xero.com/identity/connect/authorize',
    token: 'https://identity.xero.com/connect/token',
    revocation: 'https://identity.xero.com/connect/revocation',
    userinfo: 'https://identity.xero.com/connect/userinfo',
  },
  clientAuth: ['client_secret_basic', 'client_secret_post'],
  scopes: {
    default: 'openid profile email offline_access accounting.contacts.read',
    clientDefault: 'accounting.contacts.read',
    offline: 'offline_access',
  },
  rotation: 'overlap',
  // Xero allows 30 minutes to somebody whose answer was lost; a good deal less is relied on.
  overlapSeconds: 600,
  lives: { accessTokenSeconds: 1800, refreshTokenSeconds: 5_184_000 },
  guide: {
    registerAt: 'https://developer.xero.com/app/manage',
    documentation: 'https://developer.xero.com/documentation/guides/oauth2/auth-flow',
    notes: [
      'Make a "Web app". A "Custom connection" is for client credentials and serves one organisation.',
      'One token may serve several organisations: GET https://api.xero.com/connections lists them, and calls name one in the header Xero-Tenant-Id.',
      'Without the scope offline_access there is no refresh token. It dies when unused for 60 days.',
    ],
  },
});
