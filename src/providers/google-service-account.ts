import { defineProvider } from './define-provider.ts';

export const googleServiceAccount = defineProvider({
  id: 'google-service-account',
  name: 'Google (service account)',
  tier: 'proven',
  flows: ['jwt_bearer'],
  variables: {
    delegated_user: {
      label: 'Delegated user',
      description: 'E-mail address of the Workspace user to act for. Empty: the service account acts for itself',
      pattern: '[^\\s@{}]{1,64}@[A-Za-z0-9.-]{1,255}',
      example: 'ada@example.com',
      default: '',
    },
  },
  endpoints: { token: 'https://oauth2.googleapis.com/token', revocation: 'https://oauth2.googleapis.com/revoke' },
  clientAuth: ['none'],
  scopes: { default: 'https://www.googleapis.com/auth/cloud-platform' },
  rotation: 'none',
  lives: { accessTokenSeconds: 3600 },
  jwt: {
    style: 'assertion',
    algorithm: 'RS256',
    issuer: '{client_id}',
    subject: '{delegated_user}',
    audience: 'https://oauth2.googleapis.com/token',
    scopesIn: 'claim',
    lifeSeconds: 3600,
  },
  guide: {
    registerAt: 'https://console.cloud.google.com/iam-admin/serviceaccounts',
    documentation: 'https://developers.google.com/identity/protocols/oauth2/service-account',
    notes: [
      'The client id is the service account’s e-mail address (client_email). `private_key` takes the key file (JSON) as it is, or the PEM in it.',
      'To act for a user, a Workspace administrator allows the account’s numeric id and each scope under "Domain-wide delegation"; unauthorized_client says that this is missing.',
      'There is no refresh token: a new access token is had with a new assertion.',
    ],
  },
});
