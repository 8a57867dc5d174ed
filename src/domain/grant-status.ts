import { type FlowType, mintsTokens } from './connection.ts';
import type { ConnectionStatus, Grant, StatusReason } from './grant.ts';

export interface VisibleStatus {
  readonly status: ConnectionStatus;
  readonly statusReason: StatusReason | null;
  readonly statusMessage: string | null;
  /** An authorization is under way, whatever the status says. */
  readonly pendingAuthorization: boolean;
}

/**
 * What callers see of a grant at a time. A pending authorization shows as `waiting_callback`, then `testing`, until
 * its deadline; a completed grant stays `completed` meanwhile. A callback that never finished reads as `failed`, and so
 * does a token that has lapsed and cannot be had again without a person.
 */
export function visibleStatus(grant: Grant, flowType: FlowType, now: number): VisibleStatus {
  const { pending } = grant;
  const settled = settledStatus(grant, flowType, now);
  const { status } = settled;
  if (pending === null) return { ...settled, pendingAuthorization: false };
  const { testingUntil, expiresAt } = pending;
  const isUnderWay = now < (testingUntil ?? expiresAt);
  if (status === 'completed') return { ...settled, pendingAuthorization: isUnderWay };
  if (!isUnderWay && testingUntil !== null) {
    return {
      status: 'failed',
      statusReason: 'callback_interrupted',
      statusMessage: 'The authorization was interrupted before it was finished. Authorize again.',
      pendingAuthorization: false,
    };
  }
  if (!isUnderWay) return { ...settled, pendingAuthorization: false };
  return {
    status: testingUntil === null ? 'waiting_callback' : 'testing',
    statusReason: null,
    statusMessage: null,
    pendingAuthorization: true,
  };
}

function settledStatus(grant: Grant, flowType: FlowType, now: number): Omit<VisibleStatus, 'pendingAuthorization'> {
  const { status, statusReason, statusMessage } = grant;
  const isRenewable = canRefresh(grant, flowType) || grant.isFallback;
  if (status !== 'completed' || isRenewable || grant.expiresAt === null || grant.expiresAt > now) {
    return { status, statusReason, statusMessage };
  }
  return {
    status: 'failed',
    statusReason: 'needs_reauthorization',
    statusMessage: 'The access token has lapsed and the provider gave no refresh token. Authorize again.',
  };
}

/** Whether a new access token can be had without a person. */
export function canRefresh(grant: Grant, flowType: FlowType): boolean {
  return mintsTokens(flowType) || grant.hasRefreshToken;
}
