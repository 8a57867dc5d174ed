import { defineProvider } from './define-provider.ts';

export const amazonSpApi = defineProvider({
  id: 'amazon-sp-api',
  name: 'Amazon Selling Partner API',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    appId: {
      label: 'Application id',
      description: 'The id of the application in the developer console. It is not the client id.',
      pattern: '[A-Za-z0-9._-]{1,128}',
      example: 'amzn1.sp.solution.example',
    },
  },
  endpoints: {
    authorization: 'https://sellercentral.amazon.com/apps/authorize/consent',
    token: 'https://api.amazon.com/auth/o2/token',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored', authorizeParams: { application_id: '{appId}' }, codeParam: 'spapi_oauth_code' },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600 },
  metadata: { fromCallback: { selling_partner_id: 'selling_partner_id' } },
  guide: {
    notes: [
      'The client secret has to be replaced every 180 days. Set `client_secret_expires_at`, so that you are warned.',
      'For an application that is still a draft, set `version` to `beta` in `extra_authorize_params`.',
      "No endpoint for tests and none for revocation is known: remove the application in the seller's account.",
    ],
  },
});
