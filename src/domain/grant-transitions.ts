import type { ErrorCode, ProviderErrorCode } from './errors.ts';
import type { Failure, Grant, StatusReason } from './grant.ts';
import type { TokenSet } from './token-set.ts';

const retryFirstMs = 30_000;
const readRetryFirstMs = 1000;
const readRetryLongestMs = 30_000;
const retryLongestMs = 6 * 60 * 60 * 1000;

/** The grant with a new token set, be it by code, refresh, client credentials or import. */
export function withTokenSet(grant: Grant, issued: TokenSet, dueAt: number | null): Grant {
  return {
    ...grant,
    status: 'completed',
    statusReason: null,
    statusMessage: null,
    seq: grant.seq + 1,
    hasTokens: issued.tokens.accessToken !== null,
    hasRefreshToken: issued.tokens.refreshToken !== null,
    isFallback: issued.isFallback ?? false,
    grantedScopes: issued.scopes ?? grant.grantedScopes,
    expiresAt: issued.expiresAt,
    lifeSeconds: issued.expiresAt === null ? null : Math.round((issued.expiresAt - issued.requestedAt) / 1000),
    dueAt,
    connectedAt: grant.connectedAt ?? issued.requestedAt,
    failure: null,
  };
}

/** The grant after its refresh token died: a person has to act. It goes with `tokensOfDeadGrant`. */
export function withDeath(grant: Grant, reason: StatusReason, message: string): Grant {
  return {
    ...grant,
    status: 'failed',
    statusReason: reason,
    statusMessage: message,
    hasTokens: false,
    hasRefreshToken: false,
    isFallback: false,
    expiresAt: null,
    dueAt: null,
    failure: null,
  };
}

/**
 * The grant after a refresh failed though the grant lives. While its token lives it stays `completed`; one that has
 * no living token and whose client or request the provider rejects is `failed`, and is still tried again.
 */
export function withFailure(grant: Grant, failed: FailedRefresh, now: number, jitterFraction: number): Grant {
  const attempts = (grant.failure?.attempts ?? 0) + 1;
  const failure: Failure = {
    code: failed.code,
    message: failed.message,
    since: grant.failure?.since ?? now,
    attempts,
    ...retryTimes(attempts, failed.retryAfterSeconds ?? 0, now, jitterFraction),
  };
  const isTokenAlive = grant.hasTokens && (grant.expiresAt === null || grant.expiresAt > now);
  if (isTokenAlive || !needsAdministrator(failed.code)) return { ...grant, failure };
  return { ...grant, failure, status: 'failed', statusReason: failed.code, statusMessage: failed.message };
}

export interface FailedRefresh {
  readonly code: ProviderErrorCode;
  readonly message: string;
  readonly retryAfterSeconds: number | undefined;
}

/** Exponential backoff with full jitter, from 30 s to 6 h for sweeps; the provider's `Retry-After` is never undercut. */
function retryTimes(
  attempts: number,
  retryAfterSeconds: number,
  now: number,
  jitterFraction: number,
): Pick<Failure, 'retryAt' | 'readRetryAt'> {
  const growth = 2 ** Math.min(attempts, 20);
  const backoffMs = Math.max(retryFirstMs, jitterFraction * Math.min(retryLongestMs, retryFirstMs * growth));
  const readBackoffMs = Math.min(readRetryLongestMs, readRetryFirstMs * growth);
  return {
    retryAt: Math.round(now + Math.max(backoffMs, retryAfterSeconds * 1000)),
    readRetryAt: Math.round(now + Math.max(readBackoffMs, retryAfterSeconds * 1000)),
  };
}

/** The grant after the client secret was replaced: what the old one failed with is over. */
export function withNewSecret(grant: Grant): Grant {
  const isSettled = grant.status !== 'failed' || grant.statusReason === null || !needsAdministrator(grant.statusReason);
  if (isSettled) return { ...grant, failure: null };
  const status = grant.hasRefreshToken ? 'completed' : 'not_connected';
  return { ...grant, failure: null, status, statusReason: null, statusMessage: null };
}

/** Whether a failure stays until somebody changes the connection: neither time nor a new authorization mends it. */
export function needsAdministrator(code: ErrorCode | StatusReason): boolean {
  return code === 'provider_rejected_client' || code === 'provider_rejected_request' || code === 'url_not_allowed';
}
