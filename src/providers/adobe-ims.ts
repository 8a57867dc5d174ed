import { adobeEnvironment } from './adobe-environment.ts';
import { defineProvider } from './define-provider.ts';

export const adobeIms = defineProvider({
  id: 'adobe-ims',
  name: 'Adobe IMS (user login)',
  tier: 'proven',
  flows: ['authorization_code', 'refresh_token'],
  variables: { environment: adobeEnvironment },
  endpoints: {
    authorization: 'https://{environment}/ims/authorize/v2',
    token: 'https://{environment}/ims/token/v3',
    revocation: 'https://{environment}/ims/revoke',
    userinfo: 'https://{environment}/ims/userinfo/v2',
  },
  clientAuth: ['client_secret_post', 'client_secret_basic'],
  scopes: { default: 'additional_info.roles offline_access profile email openid', offline: 'offline_access' },
  rotation: 'none',
  // The answer does not always state it.
  lives: { accessTokenSeconds: 86_400, refreshTokenSeconds: 1_209_600 },
  guide: {
    registerAt: 'https://developer.adobe.com/console',
    documentation:
      'https://developer.adobe.com/developer-console/docs/guides/authentication/UserAuthentication/implementation',
    notes: [
      'Add an "OAuth Web App" credential to a project, with the redirect URI as default and as a pattern (dots escaped).',
      'The default scopes are those of Frame.io. A scope that the credential does not have is refused.',
      'Without the scope offline_access there is no refresh token.',
      'Scopes are separated by spaces here, and by commas server to server.',
      'Stage has clients of its own: a client of production is unknown there.',
    ],
  },
});
