import { defineProvider } from './define-provider.ts';
import { slackErrorNames } from './slack-errors.ts';

export const slack = defineProvider({
  id: 'slack',
  name: 'Slack (bot token)',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://slack.com/oauth/v2/authorize',
    token: 'https://slack.com/api/oauth.v2.access',
    revocation: 'https://slack.com/api/auth.revoke',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { pkce: 'ignored' },
  scopes: { separator: 'comma' },
  rotation: 'strict',
  answers: { tokenContainers: ['', 'authed_user'], errorNames: slackErrorNames },
  metadata: {
    fromAnswer: ['team', 'enterprise', 'is_enterprise_install', 'app_id', 'bot_user_id', 'authed_user'],
    accountPath: 'team.id',
  },
  revocation: { style: 'bearer', reach: 'account' },
  guide: {
    registerAt: 'https://api.slack.com/apps',
    documentation: 'https://docs.slack.dev/authentication/installing-with-oauth',
    notes: [
      'Add the redirect URL under "OAuth & Permissions". It must be https.',
      'The scopes are those of the bot. For a user’s token choose the provider slack-user: one answer may hold both tokens, each with its own end, and a connection keeps one.',
      'Without "token rotation" tokens have no end and no refresh token. It cannot be switched off again.',
      'Every answer has status 200: what failed stands in the field error.',
    ],
  },
});
