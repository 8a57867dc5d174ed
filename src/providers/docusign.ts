import { defineProvider } from './define-provider.ts';

export const docusign = defineProvider({
  id: 'docusign',
  name: 'DocuSign',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  variables: {
    environment: {
      label: 'Environment',
      description: 'The live system, or the demo system for developers.',
      pattern: 'production|demo',
      example: 'production',
      default: 'production',
      choices: { production: 'account', demo: 'account-d' },
    },
  },
  endpoints: {
    authorization: 'https://{environment}.docusign.com/oauth/auth',
    token: 'https://{environment}.docusign.com/oauth/token',
    userinfo: 'https://{environment}.docusign.com/oauth/userinfo',
    test: 'https://{environment}.docusign.com/oauth/userinfo',
  },
  clientAuth: ['client_secret_basic'],
  rotation: 'strict',
  lives: { accessTokenSeconds: 28_800, refreshTokenSeconds: 2_592_000, keepAliveSeconds: 604_800 },
  guide: {
    notes: [
      'The base address of the API differs from account to account. A workflow reads it as `base_uri` from the userinfo endpoint.',
      'DocuSign also has a JWT grant, which this entry does not describe.',
      'No revocation endpoint is known: remove the app in the DocuSign account.',
    ],
  },
});
