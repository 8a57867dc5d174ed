import { defineProvider } from './define-provider.ts';

export const linear = defineProvider({
  id: 'linear',
  name: 'Linear',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    actor: {
      label: 'Actor',
      description: 'Whether what is created comes from the person who signs in, or from the application',
      pattern: 'user|app',
      example: 'user',
      default: 'user',
      choices: { user: 'user', app: 'app' },
    },
  },
  endpoints: {
    authorization: 'https://linear.app/oauth/authorize',
    token: 'https://api.linear.app/oauth/token',
    revocation: 'https://api.linear.app/oauth/revoke',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  requests: { authorizeParams: { prompt: 'consent', actor: '{actor}' } },
  scopes: { separator: 'comma', default: 'read' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 86_400 },
  guide: {
    registerAt: 'https://linear.app/settings/api/applications/new',
    documentation: 'https://linear.app/developers/oauth-2-0-authentication',
    notes: [
      'Since 1 April 2026 every application has tokens of 24 hours and refresh tokens. A token from before that lives on without one: POST /oauth/migrate_old_token exchanges it.',
      'Client credentials are switched on in the application, and act as the application.',
      'The API is GraphQL, at https://api.linear.app/graphql.',
    ],
  },
});
