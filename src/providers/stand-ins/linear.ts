import type { StandIn } from './stand-in.ts';

/** Asked with commas, answers scopes with spaces. */
export const linear: StandIn = {
  tokens: (standard, { scopes }) => ({ ...standard, scope: scopes.join(' ') }),
  tokenPrefixes: { access: 'lin_oauth_', refresh: 'lin_refresh_' },
  failures: {
    invalid_client: { status: 401, body: { error: 'invalid_client', error_description: 'Invalid client credentials' } },
  },
};
