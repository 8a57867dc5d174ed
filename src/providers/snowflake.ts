import { defineProvider } from './define-provider.ts';

export const snowflake = defineProvider({
  id: 'snowflake',
  name: 'Snowflake OAuth',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  variables: {
    account: {
      label: 'Account',
      description: 'What stands before `.snowflakecomputing.com` in the address of the account.',
      pattern: '[A-Za-z0-9][A-Za-z0-9_-]{0,62}([.][A-Za-z0-9][A-Za-z0-9_-]{0,62}){0,3}',
      example: 'acme-eu1',
    },
  },
  endpoints: {
    authorization: 'https://{account}.snowflakecomputing.com/oauth/authorize',
    token: 'https://{account}.snowflakecomputing.com/oauth/token-request',
  },
  clientAuth: ['client_secret_basic'],
  scopes: { offline: 'refresh_token' },
  rotation: 'unknown',
  lives: { accessTokenSeconds: 600, refreshTokenSeconds: 7_776_000 },
  metadata: { accountPath: 'username' },
  guide: {
    notes: [
      'To choose the role of the session, add the scope `session:role:ROLE` with its name. The scope for a refresh token is `refresh_token`.',
      'Access tokens live 10 minutes, which is shorter than the time between sweeps: Bowline refreshes when a workflow asks.',
      'Refresh tokens live 90 days at most. Where your security integration sets less, a person has to authorize again sooner.',
      'No endpoint for tests and none for revocation is known.',
    ],
  },
});
