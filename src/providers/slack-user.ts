import { defineProvider } from './define-provider.ts';
import { slackErrorNames } from './slack-errors.ts';

export const slackUser = defineProvider({
  id: 'slack-user',
  name: 'Slack (user token)',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://slack.com/oauth/v2/authorize',
    token: 'https://slack.com/api/oauth.v2.access',
    revocation: 'https://slack.com/api/auth.revoke',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { pkce: 'ignored', renamedParams: { scope: 'user_scope' } },
  scopes: { separator: 'comma' },
  rotation: 'strict',
  answers: { tokenContainers: ['authed_user', ''], errorNames: slackErrorNames },
  metadata: {
    fromAnswer: ['team', 'enterprise', 'is_enterprise_install', 'app_id', 'id'],
    accountPath: 'id',
  },
  revocation: { style: 'bearer', reach: 'account' },
  guide: {
    registerAt: 'https://api.slack.com/apps',
    documentation: 'https://docs.slack.dev/authentication/installing-with-oauth',
    notes: [
      'Add the redirect URL under "OAuth & Permissions". It must be https.',
      'The scopes are user scopes: the token acts for the person who signs in. For the bot choose the provider slack.',
      'Without "token rotation" tokens have no end and no refresh token. It cannot be switched off again.',
    ],
  },
});
