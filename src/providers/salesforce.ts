import { defineProvider } from './define-provider.ts';
import { salesforceErrorNames, salesforceLives } from './salesforce-answers.ts';

export const salesforce = defineProvider({
  id: 'salesforce',
  name: 'Salesforce',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials', 'token_exchange'],
  variables: {
    host: {
      label: 'Login host',
      description: 'login.salesforce.com, test.salesforce.com for sandboxes, or the My Domain of the org',
      pattern: '(login|test)\\.salesforce\\.com|[a-z0-9][a-z0-9-]{0,62}(\\.[a-z]{1,20})?\\.my\\.salesforce\\.com',
      example: 'example.my.salesforce.com',
      default: 'login.salesforce.com',
    },
  },
  endpoints: {
    authorization: 'https://{host}/services/oauth2/authorize',
    token: 'https://{host}/services/oauth2/token',
    revocation: 'https://{host}/services/oauth2/revoke',
    introspection: 'https://{host}/services/oauth2/introspect',
    userinfo: 'https://{host}/services/oauth2/userinfo',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
  requests: { authorizeParams: { prompt: 'consent' } },
  scopes: { default: 'api openid refresh_token', clientDefault: '', offline: 'refresh_token' },
  rotation: 'strict',
  lives: salesforceLives,
  answers: { errorNames: salesforceErrorNames },
  metadata: { fromAnswer: ['instance_url', 'id', 'issued_at', 'sfdc_community_url'], accountPath: 'id' },
  guide: {
    registerAt: 'https://login.salesforce.com/',
    documentation: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm&type=5',
    notes: [
      'Register under Setup, "External Client Apps" or "Connected Apps", with the redirect URI as callback URL.',
      'Answers state no life: it is the session policy of the org. A token is taken for good for an hour; an org with shorter sessions answers 401 INVALID_SESSION_ID before that.',
      'The API lies at instance_url of the credentials.',
      'Client credentials work at the My Domain host only, with a "Run As" user set in the app, and take no scopes.',
      'With "Refresh Token Rotation" switched on, using a spent refresh token revokes all of them.',
      'A user has at most five approvals of one app: the sixth ends the oldest.',
    ],
  },
});
