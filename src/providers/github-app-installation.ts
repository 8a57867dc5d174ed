import { defineProvider } from './define-provider.ts';

export const githubAppInstallation = defineProvider({
  id: 'github-app-installation',
  name: 'GitHub App (installation token)',
  tier: 'proven',
  flows: ['jwt_bearer'],
  variables: {
    installation_id: {
      label: 'Installation id',
      description: 'The number at the end of the installation’s settings page',
      pattern: '[0-9]{1,20}',
      example: '12345678',
    },
  },
  endpoints: {
    token: 'https://api.github.com/app/installations/{installation_id}/access_tokens',
    revocation: 'https://api.github.com/installation/token',
  },
  clientAuth: ['none'],
  requests: { headers: { accept: 'application/vnd.github+json' } },
  scopes: { isUnused: true },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600 },
  answers: {
    accessTokenField: 'token',
    // Errors of this API have a text and nothing else.
    errorPaths: ['message'],
    errorNames: {
      'a json web token could not be decoded': 'invalid_client',
      'bad credentials': 'invalid_client',
      'integration not found': 'invalid_client',
    },
  },
  metadata: { fromAnswer: ['permissions', 'repository_selection'] },
  revocation: { style: 'bearer', method: 'DELETE' },
  jwt: {
    style: 'bearer',
    algorithm: 'RS256',
    issuer: '{client_id}',
    subject: null,
    audience: 'https://api.github.com',
    scopesIn: 'nowhere',
    // Ten minutes at most, clocks that differ included.
    lifeSeconds: 540,
  },
  guide: {
    registerAt: 'https://github.com/settings/apps',
    documentation:
      'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-an-installation-access-token-for-a-github-app',
    notes: [
      'The client id is that of the App (its numeric id will do). `private_key` takes a private key of the App (PEM).',
      'The installation decides which repositories and permissions the token has.',
      'Tokens live for one hour; a new one is had with a new assertion.',
    ],
  },
});
