import { emptyGrant, type Grant } from '../../../src/domain/grant.ts';

export const noon = Date.UTC(2026, 0, 15, 12);
export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** A grant whose token of an hour was issued at noon. */
export function liveGrant(changes: Partial<Grant> = {}): Grant {
  return {
    ...emptyGrant('generation', 'endpoints'),
    status: 'completed',
    seq: 1,
    hasTokens: true,
    hasRefreshToken: true,
    expiresAt: noon + hourMs,
    lifeSeconds: 3600,
    dueAt: noon + hourMs / 2,
    ...changes,
  };
}
