import type { Grant } from './grant.ts';

const dayMs = 24 * 60 * 60 * 1000;
const jitterMs = 5 * 60 * 1000;
/** A sweep may start late: a token must be due this long before the last sweep that can still save it. */
const sweepMarginMs = 5 * 60 * 1000;

export interface DuePolicy {
  readonly refreshWindowSeconds: number;
  readonly sweepIntervalSeconds: number;
  readonly idleAfterSeconds: number;
}

/** How often a grant is refreshed though its token needs it less often, so that the refresh token stays alive. */
export const keepAliveMs = dayMs;

/**
 * When the sweep should refresh a grant, in milliseconds since the epoch: the later of half the token's life and
 * `refreshWindowSeconds` before it ends, but early enough for a sweep to come by, less up to five minutes of jitter.
 * A token that lives shorter than a sweep takes to come by is refreshed when it is read; its refresh token is kept
 * alive once a day. Null when nothing can lapse.
 */
export function dueAt(
  token: { readonly issuedAt: number; readonly expiresAt: number | null; readonly hasRefreshToken: boolean },
  policy: DuePolicy,
  jitterFraction: number,
): number | null {
  const { issuedAt, expiresAt } = token;
  const sweepMs = policy.sweepIntervalSeconds * 1000 + sweepMarginMs;
  if (expiresAt === null) return null;
  const lifeMs = expiresAt - issuedAt;
  if (lifeMs < sweepMs) return token.hasRefreshToken ? issuedAt + keepAliveMs : null;
  const wanted = Math.max(issuedAt + lifeMs / 2, expiresAt - policy.refreshWindowSeconds * 1000);
  const latest = expiresAt - sweepMs;
  return Math.round(Math.max(issuedAt, Math.min(wanted, latest) - jitterFraction * jitterMs));
}

/**
 * Whether a sweep should refresh the grant now. A grant that nobody has used for `idleAfterSeconds` is refreshed once
 * a day, to keep its refresh token alive, and not at all when there is no refresh token.
 */
export function isDue(grant: Grant, now: number, policy: DuePolicy): boolean {
  if (grant.dueAt === null || grant.dueAt > now) return false;
  if (grant.failure !== null && grant.failure.retryAt > now) return false;
  const lastActive = grant.lastUsedAt ?? grant.lastRefreshAt ?? now;
  if (now - lastActive < policy.idleAfterSeconds * 1000) return true;
  return grant.hasRefreshToken && now - (grant.lastRefreshAt ?? 0) >= keepAliveMs;
}
