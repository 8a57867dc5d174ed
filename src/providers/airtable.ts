import { defineProvider } from './define-provider.ts';

export const airtable = defineProvider({
  id: 'airtable',
  name: 'Airtable',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token'],
  endpoints: {
    authorization: 'https://airtable.com/oauth2/v1/authorize',
    token: 'https://airtable.com/oauth2/v1/token',
    userinfo: 'https://api.airtable.com/v0/meta/whoami',
    test: 'https://api.airtable.com/v0/meta/whoami',
  },
  clientAuth: ['client_secret_basic'],
  requests: { pkce: 'required' },
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 5_184_000, keepAliveSeconds: 604_800 },
  guide: {
    notes: [
      'A refresh token that is used a second time ends the grant: let no other system refresh the same grant.',
      'Create the integration with a client secret: public clients, which have none, are not described here.',
      'No revocation endpoint is known: remove the integration in the Airtable account.',
    ],
  },
});
