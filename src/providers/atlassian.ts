import { defineProvider } from './define-provider.ts';

export const atlassian = defineProvider({
  id: 'atlassian',
  name: 'Atlassian (Jira/Confluence 3LO)',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://auth.atlassian.com/authorize',
    token: 'https://auth.atlassian.com/oauth/token',
    userinfo: 'https://api.atlassian.com/me',
  },
  clientAuth: ['client_secret_post'],
  requests: { authorizeParams: { audience: 'api.atlassian.com', prompt: 'consent' } },
  scopes: { default: 'read:me offline_access', offline: 'offline_access' },
  rotation: 'overlap',
  overlapSeconds: 600,
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 7_776_000 },
  // A wrong secret is answered with this.
  answers: { errorNames: { access_denied: 'invalid_client' } },
  metadata: { userinfoAccountPath: 'account_id' },
  guide: {
    registerAt: 'https://developer.atlassian.com/console/myapps/',
    documentation: 'https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/',
    notes: [
      'Add "OAuth 2.0 (3LO)" and the callback URL under "Authorization", and the scopes under "Permissions".',
      'Calls go to https://api.atlassian.com/ex/jira/{cloudId}; GET https://api.atlassian.com/oauth/token/accessible-resources lists the sites with their cloudId.',
      'Without the scope offline_access there is no refresh token. It dies when unused for 90 days.',
      'The pair before stays good for ten minutes; then the old access token ends too.',
      'Only its owner can use an app until "Distribution" is set to sharing.',
    ],
  },
});
