import type { Grant } from './grant.ts';

/** The life that a caller wants left in a token, and whether the caller said so or the default did. */
export interface WantedLife {
  readonly seconds: number;
  readonly isExplicit: boolean;
}

/** The milliseconds that the access token still lives; infinite where the provider stated no end. */
export function remainingMs(grant: Grant, now: number): number {
  return grant.expiresAt === null ? Number.POSITIVE_INFINITY : grant.expiresAt - now;
}

/**
 * Whether the access token lives at least as long as wanted. The default never asks for more than half a short life, nor
 * for more than the margin within which the provider refreshes at all.
 */
export function livesLongEnough(
  grant: Grant,
  wanted: WantedLife,
  now: number,
  refreshMarginSeconds: number | null = null,
): boolean {
  if (!grant.hasTokens || grant.status !== 'completed') return false;
  return remainingMs(grant, now) >= neededSeconds(grant, wanted, refreshMarginSeconds) * 1000;
}

/**
 * Whether no token of this provider can satisfy the caller: the last one's whole life was no longer than what is asked.
 * One that came lapsed says nothing about the next.
 */
export function asksTooMuch(grant: Grant, wanted: WantedLife): boolean {
  const { lifeSeconds } = grant;
  return wanted.isExplicit && lifeSeconds !== null && lifeSeconds > 0 && wanted.seconds >= lifeSeconds;
}

function neededSeconds(grant: Grant, wanted: WantedLife, refreshMarginSeconds: number | null): number {
  const { lifeSeconds } = grant;
  if (wanted.isExplicit) return wanted.seconds;
  const usual = lifeSeconds === null || lifeSeconds > wanted.seconds ? wanted.seconds : lifeSeconds / 2;
  return Math.min(usual, refreshMarginSeconds ?? usual);
}
