import type { Fields, Issued, StandIn } from './stand-in.ts';

const no = (error: string) => ({ status: 200, body: { ok: false, error } });

const slackFailures: NonNullable<StandIn['failures']> = {
  invalid_client: no('bad_client_secret'),
  invalid_code: no('invalid_code'),
  invalid_refresh_token: no('invalid_refresh_token'),
  redirect_mismatch: no('bad_redirect_uri'),
  invalid_request: no('invalid_arguments'),
  invalid_scope: no('no_scopes'),
  unsupported_grant_type: no('invalid_grant_type'),
  invalid_token: no('token_revoked'),
  rate_limited: { status: 429, body: { ok: false, error: 'ratelimited' }, headers: { 'retry-after': '30' } },
  unavailable: no('service_unavailable'),
};

const install = {
  ok: true,
  app_id: 'A0001',
  team: { id: 'T0001', name: 'Example Team' },
  enterprise: null,
  is_enterprise_install: false,
};

const tokensOf = ({ accessToken, refreshToken, lifeSeconds, scopes }: Issued, type: string): Fields => ({
  access_token: accessToken,
  token_type: type,
  scope: scopes.join(','),
  ...(refreshToken !== null && { refresh_token: refreshToken, expires_in: lifeSeconds }),
});

/** Always status 200: `ok` says how it went. */
export const slack: StandIn = {
  tokens: (_standard, issued) => ({
    ...install,
    ...tokensOf(issued, 'bot'),
    bot_user_id: 'U0BOT',
    authed_user: { id: issued.person?.id ?? 'U0' },
  }),
  tokenPrefixes: { access: 'xoxe.xoxb-', refresh: 'xoxe-1-' },
  failures: slackFailures,
  revoked: { status: 200, body: { ok: true, revoked: true } },
};

/** The token lies in `authed_user`, and after a refresh it does not. */
export const slackUser: StandIn = {
  tokens: (_standard, issued) => {
    const own = tokensOf(issued, 'user');
    if (issued.isRefresh) return { ...install, ...own };
    return { ...install, authed_user: { id: issued.person?.id ?? 'U0', ...own } };
  },
  tokenPrefixes: { access: 'xoxe.xoxp-', refresh: 'xoxe-1-' },
  failures: slackFailures,
  revoked: { status: 200, body: { ok: true, revoked: true } },
};
