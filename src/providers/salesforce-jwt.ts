import { defineProvider } from './define-provider.ts';
import { salesforceErrorNames, salesforceLives } from './salesforce-answers.ts';

export const salesforceJwt = defineProvider({
  id: 'salesforce-jwt',
  name: 'Salesforce (JWT bearer)',
  tier: 'proven',
  flows: ['jwt_bearer'],
  variables: {
    environment: {
      label: 'Environment',
      description: 'Sandboxes are signed in to elsewhere',
      pattern: 'production|sandbox',
      example: 'production',
      default: 'production',
      choices: { production: 'login.salesforce.com', sandbox: 'test.salesforce.com' },
    },
    username: {
      label: 'Salesforce user name',
      description: 'Of the user to act for. It looks like an e-mail address',
      pattern: '[^\\s{}]{1,80}',
      example: 'integration@example.com',
    },
  },
  endpoints: {
    token: 'https://{environment}/services/oauth2/token',
    revocation: 'https://{environment}/services/oauth2/revoke',
    userinfo: 'https://{environment}/services/oauth2/userinfo',
  },
  clientAuth: ['none'],
  rotation: 'none',
  lives: salesforceLives,
  answers: { errorNames: salesforceErrorNames },
  metadata: { fromAnswer: ['instance_url', 'id', 'sfdc_community_url'], accountPath: 'id' },
  jwt: {
    style: 'assertion',
    algorithm: 'RS256',
    issuer: '{client_id}',
    subject: '{username}',
    audience: 'https://{environment}',
    scopesIn: 'nowhere',
    lifeSeconds: 180,
  },
  guide: {
    registerAt: 'https://login.salesforce.com/',
    documentation: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm&type=5',
    notes: [
      'The client id is the consumer key. `private_key` takes the private key (PEM) whose certificate the app has under "Use digital signatures".',
      'invalid_grant with "user hasn’t approved this consumer" means that the user is not pre-authorized: set "Admin approved users" and add a profile or permission set.',
      'There is no refresh token and no stated life: a new access token is had with a new assertion.',
    ],
  },
});
