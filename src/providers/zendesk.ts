import { defineProvider } from './define-provider.ts';

export const zendesk = defineProvider({
  id: 'zendesk',
  name: 'Zendesk',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    subdomain: {
      label: 'Subdomain',
      description: 'What stands before `.zendesk.com` in the address of the account.',
      pattern: '[a-z0-9][a-z0-9-]{0,62}',
      example: 'acme',
    },
    accessTokenSeconds: {
      label: 'Life of access tokens',
      description: 'In seconds. Empty: what Zendesk chooses.',
      pattern: '[1-9][0-9]{1,8}',
      example: '7200',
      default: '',
    },
    refreshTokenSeconds: {
      label: 'Life of refresh tokens',
      description: 'In seconds. Empty: what Zendesk chooses.',
      pattern: '[1-9][0-9]{1,8}',
      example: '2592000',
      default: '',
    },
  },
  endpoints: {
    authorization: 'https://{subdomain}.zendesk.com/oauth/authorizations/new',
    token: 'https://{subdomain}.zendesk.com/oauth/tokens',
    revocation: 'https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json',
    userinfo: 'https://{subdomain}.zendesk.com/api/v2/users/me.json',
    test: 'https://{subdomain}.zendesk.com/api/v2/users/me.json',
  },
  clientAuth: ['client_secret_post'],
  requests: { tokenParams: { expires_in: '{accessTokenSeconds}', refresh_token_expires_in: '{refreshTokenSeconds}' } },
  rotation: 'strict',
  revocation: { style: 'bearer', method: 'DELETE' },
  guide: {
    notes: [
      'Zendesk lets the client choose how long tokens live: set both, or Zendesk chooses.',
      "Zendesk makes expiring tokens mandatory: for apps since the end of January 2026, for customers' own clients since the end of April 2026.",
      'A refresh deletes the access token that was in use before it: let workflows ask for credentials anew and not keep them.',
      'A client works for the one subdomain that it was registered in, unless Zendesk has made it a global client.',
    ],
  },
});
