import { defineProvider } from './define-provider.ts';

export const spotify = defineProvider({
  id: 'spotify',
  name: 'Spotify',
  tier: 'listed',
  flows: ['authorization_code', 'refresh_token', 'client_credentials'],
  endpoints: {
    authorization: 'https://accounts.spotify.com/authorize',
    token: 'https://accounts.spotify.com/api/token',
    userinfo: 'https://api.spotify.com/v1/me',
    test: 'https://api.spotify.com/v1/me',
  },
  clientAuth: ['client_secret_basic'],
  rotation: 'unknown',
  lives: { accessTokenSeconds: 3600 },
  guide: {
    notes: [
      'With PKCE refresh tokens are replaced at each use; otherwise an answer may come without one, and the old one stays in use.',
      'To let a person choose the account each time, set `show_dialog` to `true` in `extra_authorize_params`.',
      'No revocation endpoint is known: remove the app in the Spotify account.',
    ],
  },
});
