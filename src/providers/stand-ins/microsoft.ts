import type { Fields, StandIn } from './stand-in.ts';

const told = (error: string, code: number, what: string): Fields => ({
  error,
  error_description: `AADSTS${code}: ${what} Trace ID: 0000 Correlation ID: 0000`,
  error_codes: [code],
  timestamp: '2026-01-01 00:00:00Z',
  trace_id: '0000',
  correlation_id: '0000',
});

/** Errors have a number of their own; lives are stated twice. */
export const microsoft: StandIn = {
  tokens: (standard) => ({ ...standard, ext_expires_in: standard.expires_in }),
  tokenPrefixes: { access: 'eyJ0.', refresh: '0.A' },
  callback: { session_state: '00000000-0000-0000-0000-000000000000' },
  failures: {
    invalid_client: { status: 401, body: told('invalid_client', 7000215, 'Invalid client secret provided.') },
    invalid_code: { status: 400, body: told('invalid_grant', 54005, 'The code was already redeemed.') },
    invalid_refresh_token: { status: 400, body: told('invalid_grant', 700082, 'The refresh token has expired.') },
    invalid_scope: { status: 400, body: told('invalid_scope', 70011, 'The provided scope is not valid.') },
    unavailable: { status: 503, body: told('temporarily_unavailable', 90033, 'A transient error has occurred.') },
  },
};
