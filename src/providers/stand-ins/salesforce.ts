import type { Fields, Issued, StandIn } from './stand-in.ts';

const no = (error: string, what: string, status = 400) => ({ status, body: { error, error_description: what } });

const salesforceFailures: NonNullable<StandIn['failures']> = {
  invalid_client: no('invalid_client', 'invalid client credentials'),
  invalid_code: no('invalid_grant', 'expired authorization code'),
  invalid_refresh_token: no('invalid_grant', 'expired access/refresh token'),
  invalid_assertion: no('invalid_grant', 'invalid assertion'),
  redirect_mismatch: no('redirect_uri_mismatch', 'redirect_uri must match configuration'),
  rate_limited: no('rate_limit_exceeded', 'exceeded the number of logins', 429),
};

const tokens = ({ expires_in: _life, scope, ...standard }: Fields, { now, person, scopes }: Issued): Fields => ({
  ...standard,
  scope: scope ?? scopes.join(' '),
  signature: 'c2lnbmF0dXJl',
  instance_url: 'https://example.my.salesforce.com',
  id: `https://login.salesforce.com/id/00D0/${person?.id ?? '0050'}`,
  issued_at: String(now),
});

/** No life, only when the token was issued, in milliseconds; the API's address comes with the token. */
export const salesforce: StandIn = {
  tokens,
  statesNoLife: true,
  tokenPrefixes: { access: '00D0!', refresh: '5Aep' },
  failures: salesforceFailures,
  userinfo: ({ id, name, email }) => ({ sub: `https://login.salesforce.com/id/00D0/${id}`, user_id: id, name, email }),
};

export const salesforceJwt: StandIn = {
  tokens,
  statesNoLife: true,
  tokenPrefixes: { access: '00D0!', refresh: '' },
  failures: salesforceFailures,
};
