import { type ProviderErrorCode, providerErrorCodes } from './errors.ts';
import type { ConnectionName, OrgId, UserId } from './ids.ts';
import type { Secret } from './secret.ts';

/**
 * Names one grant. `userId` null is the organisation's own, which lies with the connection; a user's grant lies in the
 * organisation of the caller, which differs from the connection's when that is `GLOBAL`.
 */
export interface GrantKey {
  readonly connectionOrg: OrgId;
  readonly org: OrgId;
  readonly connection: ConnectionName;
  readonly userId: UserId | null;
}

/** Why a grant has the status that it has. `docs/errors.md` explains each. */
export const statusReasons = [
  'access_denied',
  'authorization_failed',
  'callback_interrupted',
  'account_changed',
  'crash_outcome_unknown',
  ...providerErrorCodes,
] as const;
export type StatusReason = (typeof statusReasons)[number];

export const grantStatuses = ['not_connected', 'completed', 'failed'] as const;
export type GrantStatus = (typeof grantStatuses)[number];

/** What callers see: the grant's status, or where the pending authorization stands. */
export const connectionStatuses = ['not_connected', 'waiting_callback', 'testing', 'completed', 'failed'] as const;
export type ConnectionStatus = (typeof connectionStatuses)[number];

/** The token set. It is sealed as one payload and never leaves whole. */
export interface Tokens {
  /** Null for a refresh token that was imported or configured and not yet used. */
  readonly accessToken: Secret | null;
  readonly tokenType: string;
  readonly refreshToken: Secret | null;
  /** The provider's name for the account that granted: `sub` or `id`. Null where unknown. */
  readonly account: string | null;
  /** What the provider said beside the tokens (`instance_url`, `realm_id`). */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A refresh that fails while the grant lives. A success clears it. */
export interface Failure {
  readonly code: ProviderErrorCode;
  readonly message: string;
  readonly since: number;
  readonly attempts: number;
  /** Not before this time does a sweep try again. */
  readonly retryAt: number;
  /** Not before this time does a reader's call try again: sooner than the sweep, for somebody waits. */
  readonly readRetryAt: number;
}

/** The one authorization that is under way for a grant. */
export interface PendingAuthorization {
  readonly stateHash: string;
  readonly startedAt: number;
  readonly expiresAt: number;
  /** Set once the callback has arrived: until then the code is being redeemed. */
  readonly testingUntil: number | null;
}

/** What the broker knows of a grant without opening it. Times are milliseconds since the epoch. */
export interface Grant {
  readonly status: GrantStatus;
  readonly statusReason: StatusReason | null;
  readonly statusMessage: string | null;
  /** Random; changes at disconnect, import, callback, recreation and a change that drops the tokens. */
  readonly generation: string;
  /** Grows by one with each new token set. */
  readonly seq: number;
  /** The connection's `endpointsId` under which the tokens were issued. */
  readonly endpointsId: string;
  readonly hasTokens: boolean;
  readonly hasRefreshToken: boolean;
  /** The tokens came of the client's own credentials, in place of a person's. */
  readonly isFallback: boolean;
  readonly grantedScopes: string | null;
  /** Null: the provider stated none. */
  readonly expiresAt: number | null;
  /** The whole life of the last access token. */
  readonly lifeSeconds: number | null;
  readonly dueAt: number | null;
  /** When tokens came first in this generation: by a person, an import or the client itself. */
  readonly connectedAt: number | null;
  readonly lastRefreshAt: number | null;
  readonly lastUsedAt: number | null;
  readonly failure: Failure | null;
  readonly pending: PendingAuthorization | null;
}

/** The authorization server behind a grant, by the first part of its `endpointsId`. */
export function serverOf({ endpointsId }: Pick<Grant, 'endpointsId'>): string {
  return endpointsId.split('.')[0] ?? '';
}

/** A grant that holds nothing yet. */
export function emptyGrant(generation: string, endpointsId: string): Grant {
  return {
    status: 'not_connected',
    statusReason: null,
    statusMessage: null,
    generation,
    seq: 0,
    endpointsId,
    hasTokens: false,
    hasRefreshToken: false,
    isFallback: false,
    grantedScopes: null,
    expiresAt: null,
    lifeSeconds: null,
    dueAt: null,
    connectedAt: null,
    lastRefreshAt: null,
    lastUsedAt: null,
    failure: null,
    pending: null,
  };
}

/** What is left of a dead token set: whose it was, so that another account is noticed when somebody authorizes again. */
export function tokensOfDeadGrant(tokens: Tokens | null): Tokens | null {
  return tokens === null ? null : { ...tokens, accessToken: null, refreshToken: null };
}

/** The same grant without its tokens: what disconnect and a change of endpoints leave. `seq` never goes back. */
export function withoutTokens(grant: Grant, generation: string, endpointsId: string): Grant {
  return { ...emptyGrant(generation, endpointsId), seq: grant.seq };
}
