import { adobeEnvironment } from './adobe-environment.ts';
import { defineProvider } from './define-provider.ts';

export const adobeImsS2s = defineProvider({
  id: 'adobe-ims-s2s',
  name: 'Adobe IMS (server to server)',
  tier: 'proven',
  flows: ['client_credentials'],
  variables: { environment: adobeEnvironment },
  endpoints: { token: 'https://{environment}/ims/token/v3' },
  clientAuth: ['client_secret_post'],
  requests: { pkce: 'ignored' },
  scopes: { separator: 'comma', default: 'openid,AdobeID,read_organizations' },
  rotation: 'none',
  lives: { accessTokenSeconds: 86_400 },
  guide: {
    registerAt: 'https://developer.adobe.com/console',
    documentation:
      'https://developer.adobe.com/developer-console/docs/guides/authentication/ServerToServerAuthentication/implementation',
    notes: [
      'Add an "OAuth Server-to-Server" credential to a project: its page lists the scopes, separated by commas.',
      'There is no refresh token: a new access token is had with the credentials.',
      'Stage has clients of its own: a client of production is unknown there.',
    ],
  },
});
