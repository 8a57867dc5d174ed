import { defineProvider } from './define-provider.ts';

export const box = defineProvider({
  id: 'box',
  name: 'Box',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials', 'token_exchange'],
  variables: {
    subjectType: {
      label: 'Subject type',
      description: 'What the token of client credentials acts for. Only for that grant.',
      pattern: 'enterprise|user',
      example: 'enterprise',
      default: '',
    },
    subjectId: {
      label: 'Subject id',
      description: 'The id of that enterprise or user.',
      pattern: '[0-9]{1,32}',
      example: '1234567',
      default: '',
    },
  },
  endpoints: {
    authorization: 'https://account.box.com/api/oauth2/authorize',
    token: 'https://api.box.com/oauth2/token',
    revocation: 'https://api.box.com/oauth2/revoke',
    userinfo: 'https://api.box.com/2.0/users/me',
    test: 'https://api.box.com/2.0/users/me',
  },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored', tokenParams: { box_subject_type: '{subjectType}', box_subject_id: '{subjectId}' } },
  rotation: 'strict',
  lives: { accessTokenSeconds: 3600, refreshTokenSeconds: 5_184_000, keepAliveSeconds: 604_800 },
  guide: {
    notes: [
      'Client credentials need the variables for the subject. Leave them empty for all other grants.',
      'Box also has a JWT grant, which this entry does not describe: use client credentials for unattended access.',
    ],
  },
});
