import { defineProvider } from './define-provider.ts';

export const google = defineProvider({
  id: 'google',
  name: 'Google',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'device_code'],
  endpoints: {
    authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    issuer: 'https://accounts.google.com',
    revocation: 'https://oauth2.googleapis.com/revoke',
    userinfo: 'https://openidconnect.googleapis.com/v1/userinfo',
    deviceAuthorization: 'https://oauth2.googleapis.com/device/code',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { authorizeParams: { access_type: 'offline', prompt: 'consent' } },
  scopes: {
    default: 'openid email profile',
    aliases: {
      'https://www.googleapis.com/auth/userinfo.email': 'email',
      'https://www.googleapis.com/auth/userinfo.profile': 'profile',
    },
  },
  rotation: 'none',
  revocation: { reach: 'account' },
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 15_552_000 },
  answers: {
    errorNames: {
      admin_policy_enforced: 'invalid_grant',
      deleted_client: 'invalid_client',
      disabled_client: 'invalid_client',
    },
  },
  metadata: { fromAnswer: ['refresh_token_expires_in'] },
  guide: {
    registerAt: 'https://console.cloud.google.com/apis/credentials',
    documentation: 'https://developers.google.com/identity/protocols/oauth2/web-server',
    notes: [
      'Make an OAuth client of the type "Web application" and register the redirect URI to the letter.',
      'While the consent screen is in publishing status "Testing", refresh tokens die after seven days.',
      'A refresh token comes only when the consent screen was shown, therefore prompt=consent.',
      'People may grant fewer scopes than asked for: look at missing_scopes.',
      'A refresh token dies when unused for six months, with a change of password where it has Gmail scopes, and when the account has too many of them for this client: the oldest goes first.',
      'Revoking one token ends everything that this account granted to this client.',
      'Devices take a client of the type "TVs and Limited Input devices" and few scopes.',
    ],
  },
});
