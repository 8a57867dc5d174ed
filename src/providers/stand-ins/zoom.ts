import type { StandIn } from './stand-in.ts';

const no = (error: string, reason: string, status = 400) => ({ status, body: { error, reason } });

const zoomFailures: NonNullable<StandIn['failures']> = {
  invalid_client: no('invalid_client', 'Invalid client_id or client_secret'),
  invalid_code: no('invalid_grant', 'Invalid authorization code'),
  // A dead token, and yet not called invalid_grant.
  invalid_refresh_token: no('invalid_request', 'Invalid Token!', 401),
  redirect_mismatch: no('invalid_request', 'Redirect URI mismatch.'),
  unsupported_grant_type: no('unsupported_grant_type', 'unsupported grant type'),
  rate_limited: {
    status: 429,
    body: { code: 429, message: 'You have reached the maximum per-second rate limit for this API.' },
    headers: { 'retry-after': '30' },
  },
};

/** Calls a dead refresh token an invalid request, and says where the API lies. */
export const zoom: StandIn = {
  tokens: (standard) => ({ ...standard, scope: 'user:read', api_url: 'https://api.zoom.us' }),
  failures: zoomFailures,
  userinfo: ({ id, name, email }) => ({ id, display_name: name, email, account_id: 'A0001' }),
};

export const zoomS2s: StandIn = {
  tokens: (standard) => ({ ...standard, scope: 'user:read:admin', api_url: 'https://api.zoom.us' }),
  failures: zoomFailures,
  userinfo: ({ id, name, email }) => ({ id, display_name: name, email, account_id: 'A0001' }),
};
