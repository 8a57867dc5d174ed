import { defineProvider } from './define-provider.ts';

export const notion = defineProvider({
  id: 'notion',
  name: 'Notion',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://api.notion.com/v1/oauth/authorize',
    token: 'https://api.notion.com/v1/oauth/token',
    revocation: 'https://api.notion.com/v1/oauth/revoke',
    test: 'https://api.notion.com/v1/users/me',
  },
  clientAuth: ['client_secret_basic_raw', 'client_secret_basic'],
  requests: {
    pkce: 'ignored',
    authorizeParams: { owner: 'user' },
    bodyFormat: 'json',
    headers: { 'notion-version': '2022-06-28' },
  },
  scopes: { isUnused: true },
  rotation: 'strict',
  answers: {
    errorPaths: ['code'],
    errorNames: {
      conflict_error: 'temporarily_unavailable',
      database_connection_unavailable: 'temporarily_unavailable',
      gateway_timeout: 'temporarily_unavailable',
      internal_server_error: 'temporarily_unavailable',
      invalid_json: 'invalid_request',
      invalid_request_url: 'invalid_request',
      missing_version: 'invalid_request',
      rate_limited: 'temporarily_unavailable',
      service_unavailable: 'temporarily_unavailable',
      unauthorized: 'invalid_client',
      validation_error: 'invalid_request',
    },
  },
  metadata: {
    fromAnswer: ['bot_id', 'workspace_id', 'workspace_name', 'workspace_icon', 'owner', 'duplicated_template_id'],
    accountPath: 'bot_id',
  },
  guide: {
    registerAt: 'https://www.notion.so/profile/integrations',
    documentation: 'https://developers.notion.com/docs/authorization',
    notes: [
      'Make a public integration: an internal one has a fixed secret and no OAuth.',
      'What a token may do is set in the integration; what it may see, the person picks while signing in.',
      'The answer states no life though a refresh token comes with it: the token is refreshed when it is refused or on request.',
      'Integrations of an older kind get no refresh token.',
    ],
  },
});
