import type { StandIn } from './stand-in.ts';

/** Without `expiring=1` a token has no end; there is no token_type, and scopes have commas. */
export const shopify: StandIn = {
  tokens: (_standard, { accessToken, refreshToken, lifeSeconds, scopes }) => ({
    access_token: accessToken,
    scope: scopes.join(','),
    expires_in: lifeSeconds,
    ...(refreshToken !== null && { refresh_token: refreshToken, refresh_token_expires_in: 7_776_000 }),
  }),
  offlineParameter: { request: 'token', name: 'expiring', value: '1' },
  callback: {
    shop: 'example-shop.myshopify.com',
    host: 'YWRtaW4uc2hvcGlmeS5jb20',
    hmac: '00',
    timestamp: '1767225600',
  },
  tokenPrefixes: { access: 'shpat_', refresh: 'shprt_' },
  failures: {
    invalid_client: {
      status: 400,
      body: { error: 'application_cannot_be_found', error_description: 'Could not find Shopify API application' },
    },
    invalid_code: {
      status: 400,
      body: { error: 'invalid_request', error_description: 'The authorization code was not found or was already used' },
    },
    invalid_refresh_token: {
      status: 401,
      body: { error: 'invalid_grant', error_description: 'The refresh token is invalid or was revoked' },
    },
    invalid_token: { status: 401, body: { errors: '[API] Invalid API key or access token' } },
    rate_limited: { status: 429, body: { errors: 'Exceeded API rate limit.' }, headers: { 'retry-after': '2.0' } },
  },
  userinfo: ({ name }) => ({ shop: { id: 1, name, myshopify_domain: 'example-shop.myshopify.com' } }),
};
