import type { Grant } from './grant.ts';
import { type ProviderLives, unknownProfile } from './provider.ts';

const jitterMs = 5 * 60 * 1000;
/** A sweep may start late: a token must be due this long before the last sweep that can still save it. */
const sweepMarginMs = 5 * 60 * 1000;

export interface DuePolicy {
  readonly refreshWindowSeconds: number;
  readonly sweepIntervalSeconds: number;
  readonly idleAfterSeconds: number;
}

/** What a provider says about when its tokens can and must be refreshed. */
export type RefreshLives = Pick<ProviderLives, 'keepAliveSeconds' | 'refreshMarginSeconds'>;

/**
 * When the sweep should refresh a grant, in milliseconds since the epoch: the later of half the token's life and
 * `refreshWindowSeconds` before it ends, but early enough for a sweep to come by, less up to five minutes of jitter.
 * Where a provider gives another token within a margin only, the jitter counts from the margin's beginning.
 * A token that lives shorter than a sweep takes to come by is refreshed when it is read; its refresh token, as that of
 * a token without a stated end, is kept alive once a day. Null when nothing can lapse.
 */
export function dueAt(
  token: { readonly issuedAt: number; readonly expiresAt: number | null; readonly hasRefreshToken: boolean },
  policy: DuePolicy,
  jitterFraction: number,
  lives: RefreshLives = unknownProfile.lives,
): number | null {
  const { issuedAt, expiresAt } = token;
  const keepAliveMs = lives.keepAliveSeconds * 1000;
  const sweepMs = policy.sweepIntervalSeconds * 1000 + sweepMarginMs;
  if (expiresAt === null) return token.hasRefreshToken ? issuedAt + keepAliveMs : null;
  const lifeMs = expiresAt - issuedAt;
  if (lifeMs < sweepMs || isTooLateForSweep(lives, sweepMs))
    return token.hasRefreshToken ? issuedAt + keepAliveMs : null;
  const wanted = Math.max(issuedAt + lifeMs / 2, expiresAt - policy.refreshWindowSeconds * 1000);
  const latest = expiresAt - sweepMs;
  const jitter = jitterFraction * jitterMs;
  const early = Math.min(wanted, latest) - jitter;
  const marginAt = expiresAt - (lives.refreshMarginSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  return Math.round(Math.max(issuedAt, early < marginAt ? Math.min(latest, marginAt + jitter) : early));
}

/** A token that may be refreshed only in its last moments is refreshed when it is read. */
function isTooLateForSweep({ refreshMarginSeconds }: RefreshLives, sweepMs: number): boolean {
  return refreshMarginSeconds !== null && refreshMarginSeconds * 1000 < sweepMs;
}

/** The last time at which a sweep can still save the token. Null for one without an end. */
export function lastChanceAt(grant: Grant, policy: DuePolicy): number | null {
  return grant.expiresAt === null ? null : grant.expiresAt - policy.sweepIntervalSeconds * 1000 - sweepMarginMs;
}

/** When a sweep should look at the grant: not before it is due, nor before the backoff of a failing refresh ends. */
export function sweepAt(grant: Grant): number | null {
  return grant.dueAt === null ? null : Math.max(grant.dueAt, grant.failure?.retryAt ?? 0);
}

/** Whether a sweep should look at the grant now. */
export function isDue(grant: Grant, now: number): boolean {
  const at = sweepAt(grant);
  return at !== null && at <= now;
}

/**
 * When a grant that is due, but that nobody has used or connected for `idleAfterSeconds`, should be refreshed instead: once a day,
 * to keep its refresh token alive, or never when it has none. Undefined when it should be refreshed now.
 */
export function postponedDueAt(
  grant: Grant,
  now: number,
  policy: DuePolicy,
  lives: RefreshLives = unknownProfile.lives,
): number | null | undefined {
  const lastActive = grant.lastUsedAt ?? grant.connectedAt ?? grant.lastRefreshAt ?? now;
  if (now - lastActive < policy.idleAfterSeconds * 1000) return undefined;
  if (!grant.hasRefreshToken) return null;
  const keepAliveAt = (grant.lastRefreshAt ?? 0) + lives.keepAliveSeconds * 1000;
  return keepAliveAt > now ? keepAliveAt : undefined;
}
