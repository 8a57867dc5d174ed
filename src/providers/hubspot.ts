import { defineProvider } from './define-provider.ts';

export const hubspot = defineProvider({
  id: 'hubspot',
  name: 'HubSpot',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  variables: {
    optional_scopes: {
      label: 'Optional scopes',
      description: 'Separated by spaces. Granted where the portal’s subscription has what they need',
      pattern: '[A-Za-z0-9_.-]+( [A-Za-z0-9_.-]+)*',
      example: 'crm.objects.deals.read',
      default: '',
    },
  },
  endpoints: {
    authorization: 'https://app.hubspot.com/oauth/authorize',
    token: 'https://api.hubapi.com/oauth/2026-03/token',
    revocation: 'https://api.hubapi.com/oauth/2026-03/token/revoke',
    introspection: 'https://api.hubapi.com/oauth/2026-03/token/introspect',
  },
  clientAuth: ['client_secret_post'],
  requests: { authorizeParams: { optional_scope: '{optional_scopes}' } },
  scopes: { default: 'oauth', clientDefault: '' },
  rotation: 'none',
  lives: { accessTokenSeconds: 1800 },
  answers: {
    errorPaths: ['status'],
    errorNames: {
      bad_auth_code: 'invalid_grant',
      bad_client_id: 'invalid_client',
      bad_client_secret: 'invalid_client',
      bad_grant_type: 'unsupported_grant_type',
      bad_redirect_uri: 'invalid_request',
      bad_refresh_token: 'invalid_grant',
      expired_auth_code: 'invalid_grant',
    },
  },
  metadata: { fromAnswer: ['hub_id', 'user_id'], accountPath: 'hub_id' },
  revocation: { isShared: true },
  guide: {
    registerAt: 'https://app.hubspot.com/developer-overview',
    documentation: 'https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth',
    notes: [
      'The scopes must be those of the app exactly, less the optional ones.',
      'hub_id of the credentials names the portal.',
      'The tokens of one portal may be shared by several connections: revoking one ends the others, so it is done on request only.',
      'The older token endpoint, /oauth/v1/token, is shut off on 16 February 2027.',
    ],
  },
});
