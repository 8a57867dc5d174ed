import type { StandIn } from './stand-in.ts';

const no = (error: string) => ({ status: 200, body: { error } });

/** Errors come with status 200; the data centre comes with the redirect. */
export const zoho: StandIn = {
  tokens: (standard) => ({ ...standard, api_domain: 'https://www.zohoapis.com' }),
  offlineParameter: { request: 'authorization', name: 'access_type', value: 'offline' },
  callback: { location: 'us', 'accounts-server': 'https://accounts.zoho.com' },
  tokenPrefixes: { access: '1000.', refresh: '1000.' },
  failures: {
    invalid_client: no('invalid_client_secret'),
    invalid_code: no('invalid_code'),
    invalid_refresh_token: no('invalid_code'),
    redirect_mismatch: no('invalid_redirect_uri'),
    rate_limited: {
      status: 400,
      body: { error: 'Access Denied', error_description: 'You have made too many requests continuously.' },
    },
  },
};
