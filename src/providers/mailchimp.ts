import { defineProvider } from './define-provider.ts';

export const mailchimp = defineProvider({
  id: 'mailchimp',
  name: 'Mailchimp',
  tier: 'listed',
  flows: ['authorization_code'],
  endpoints: {
    authorization: 'https://login.mailchimp.com/oauth2/authorize',
    token: 'https://login.mailchimp.com/oauth2/token',
    userinfo: 'https://login.mailchimp.com/oauth2/metadata',
    test: 'https://login.mailchimp.com/oauth2/metadata',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored', tokenHeader: { name: 'authorization', prefix: 'OAuth ' } },
  scopes: { isUnused: true },
  rotation: 'none',
  answers: { nonPositiveLife: 'endless' },
  guide: {
    notes: [
      'Access tokens do not end: Mailchimp says so with a life of zero seconds.',
      'The host of the API begins with the data centre of the account. A workflow reads it as `dc` from the userinfo endpoint.',
      'That endpoint wants the token as `Authorization: OAuth TOKEN`, without the word Bearer.',
      'No revocation endpoint is known: disconnect the app in the Mailchimp account.',
    ],
  },
});
