import type { AuditDetail } from '../../domain/audit.ts';
import { type Connection, mintsTokens } from '../../domain/connection.ts';
import { dueAt } from '../../domain/due.ts';
import { BrokerError, type ProviderErrorCode, providerErrorCodes } from '../../domain/errors.ts';
import { type Grant, type Tokens, tokensOfDeadGrant } from '../../domain/grant.ts';
import { type FailedRefresh, withDeath, withFailure, withTokenSet } from '../../domain/grant-transitions.ts';
import type { TokenSet } from '../../domain/token-set.ts';
import type { Claim, CommitResult, GrantChange, StoredGrant } from '../../ports/grant-store.ts';
import { type AuditTrail, subjectOfGrant } from '../audit/audit-trail.ts';
import { revokeTokens } from '../connections/discard-tokens.ts';
import { profileOf } from '../connections/profile-of.ts';
import type { Dependencies } from '../dependencies.ts';
import type { ActingConnection } from './acting-connection.ts';
import type { RequestedTokens } from './request-tokens.ts';

export type RefreshNeeds = Pick<
  Dependencies,
  | 'clock'
  | 'random'
  | 'connections'
  | 'grants'
  | 'revocations'
  | 'vault'
  | 'providers'
  | 'authorizationServer'
  | 'gate'
  | 'logger'
  | 'policy'
> & { readonly audit: Pick<AuditTrail, 'note'> };

export interface RefreshResult {
  readonly stored: StoredGrant;
  /** Given when this process has just got them. */
  readonly tokens?: Tokens | null;
  readonly isRefreshed: boolean;
  /** The refresh token may be spent, so nobody was asked: the access token is used up first. */
  readonly isPutOff?: boolean;
}

/**
 * Writes a new token set under the claim. Nobody sees the tokens before storage has acknowledged them. When the grant
 * changed hands meanwhile: a success beats a failure for the same base tokens; else ours are given up, and revoked
 * where the grant was disconnected or deleted.
 */
export async function settleSuccess(
  needs: RefreshNeeds,
  connection: Connection,
  claim: Claim,
  { issued, client }: Pick<RequestedTokens, 'issued' | 'client'>,
): Promise<RefreshResult> {
  const change = successChange(needs, connection, claim.stored.grant, issued);
  const result = await commitOrGiveUp(needs, claim, change);
  switch (result.kind) {
    case 'committed':
      await noteRefresh(needs, claim, 'success');
      return resultOf(result.stored, change.grant.seq, issued);
    case 'unknown':
      needs.logger.error('refresh_outcome_lost', placeOf(claim.stored));
      throw new BrokerError('storage_unavailable', 'Storage did not confirm the refreshed token. Try again.', {
        retryAfterSeconds: 5,
      });
    case 'gone':
      await revokeTokens(needs, connection, issued.tokens, { client });
      throw new BrokerError('connection_not_found', 'The connection was deleted.');
    case 'superseded':
      return yieldOrOverrule(needs, connection, claim, { issued, client });
  }
}

/**
 * Tokens that cannot even be sealed are lost, and the refresh token that got them may be spent: the grant backs off as
 * from an answer that makes no sense, so that it is not submitted again at once.
 */
async function commitOrGiveUp(needs: RefreshNeeds, claim: Claim, change: GrantChange): Promise<CommitResult> {
  try {
    return await needs.grants.commit(claim, change);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    needs.logger.error('refresh_outcome_lost', { ...placeOf(claim.stored), code: error.code, detail: error.detail });
    const failed = { code: 'provider_answer_invalid', message: error.message, retryAfterSeconds: undefined } as const;
    const { clock, random } = needs;
    await needs.grants.commit(claim, {
      grant: withFailure(claim.stored.grant, failed, clock.now(), random.fraction()),
      isOutcomeUnknown: true,
    });
    throw error;
  }
}

async function yieldOrOverrule(
  needs: RefreshNeeds,
  connection: Connection,
  claim: Claim,
  { issued, client }: Pick<RequestedTokens, 'issued' | 'client'>,
): Promise<RefreshResult> {
  const base = claim.stored.grant;
  let isOurs = false;
  const current = await needs.grants.update(claim.stored.key, (now) => {
    isOurs = now?.grant.generation === base.generation && now.grant.seq === base.seq;
    return isOurs && now !== undefined ? successChange(needs, connection, now.grant, issued) : undefined;
  });
  if (current !== undefined && isOurs) {
    await noteRefresh(needs, claim, 'success');
    return resultOf(current, base.seq + 1, issued);
  }
  needs.logger.warn('refresh_superseded', placeOf(claim.stored));
  if (current === undefined || !(current.grant.hasTokens || current.grant.hasRefreshToken)) {
    await revokeTokens(needs, connection, issued.tokens, { client });
  }
  if (current === undefined) throw new BrokerError('connection_not_found', 'The connection was deleted.');
  return { stored: current, isRefreshed: false };
}

/** Our tokens go with the grant unless somebody has refreshed it again since: then the newer ones have to be opened. */
function resultOf(stored: StoredGrant, ourSeq: number, { tokens }: TokenSet): RefreshResult {
  return stored.grant.seq === ourSeq ? { stored, tokens, isRefreshed: true } : { stored, isRefreshed: true };
}

/**
 * Writes why there is no new token set, and ends the lease. A grant that somebody else has changed meanwhile is left
 * alone. Resolves to the failure as the caller should see it: where another try makes sense, with when.
 */
export async function settleFailure(
  needs: RefreshNeeds,
  connection: ActingConnection,
  claim: Claim,
  before: Tokens | null,
  error: BrokerError,
): Promise<BrokerError> {
  if (!isProviderError(error)) {
    await needs.grants.release(claim);
    return error;
  }
  needs.logger.warn('refresh_failed', { ...placeOf(claim.stored), code: error.code, detail: error.detail });
  const change = failureChange(needs, connection, claim, before, error);
  await needs.grants.commit(claim, change);
  await noteRefresh(needs, claim, error.code, { is_dead: change.grant.status === 'failed' });
  const { failure } = change.grant;
  return failure === null ? error : withRetryAfter(error, failure.readRetryAt - needs.clock.now());
}

/** For whoever asks later why a grant is as it is. The grant itself does not depend on it. */
async function noteRefresh(
  { audit }: RefreshNeeds,
  { stored, isTakeover }: Claim,
  outcome: 'success' | ProviderErrorCode,
  more: AuditDetail = {},
): Promise<void> {
  await audit.note({
    ...subjectOfGrant(stored.key),
    action: outcome === 'success' ? 'grant.refresh' : 'grant.refresh_fail',
    outcome,
    detail: { ...(isTakeover && { takeover: true }), ...more },
  });
}

function withRetryAfter(error: BrokerError, waitMs: number): BrokerError {
  return new BrokerError(error.code, error.message, {
    ...(error.detail === undefined ? {} : { detail: error.detail }),
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
    cause: error.cause,
  });
}

function failureChange(
  { clock, random }: RefreshNeeds,
  connection: ActingConnection,
  { stored: { grant }, isTakeover }: Claim,
  before: Tokens | null,
  error: BrokerError & { readonly code: ProviderErrorCode },
): GrantChange {
  if (error.code !== 'needs_reauthorization' || mintsTokens(connection.config.flowType)) {
    const { code, message, retryAfterSeconds, isOutcomeUnknown } = error;
    const failed = withFailure(grant, { code, message, retryAfterSeconds }, clock.now(), random.fraction());
    if (connection.isFallback !== true) return { grant: failed, isOutcomeUnknown };
    // What a person must do stays said: the fallback failing changes nothing about it.
    const { status, statusReason, statusMessage } = grant;
    return { grant: { ...failed, status, statusReason, statusMessage }, isOutcomeUnknown };
  }
  const dead = isTakeover
    ? withDeath(grant, 'crash_outcome_unknown', 'A refresh was interrupted and its outcome is lost. Authorize again.')
    : withDeath(grant, 'needs_reauthorization', error.message);
  return { grant: dead, tokens: tokensOfDeadGrant(before) };
}

function successChange(
  { clock, random, policy, ...needs }: RefreshNeeds,
  { config }: Connection,
  grant: Grant,
  issued: TokenSet,
): GrantChange {
  const { requestedAt, expiresAt, tokens } = issued;
  const token = { issuedAt: requestedAt, expiresAt, hasRefreshToken: tokens.refreshToken !== null };
  const now = clock.now();
  // A fallback gets its tokens when somebody reads.
  const due = issued.isFallback ? null : dueAt(token, policy, random.fraction(), profileOf(needs, config).lives);
  const renewed = { ...withTokenSet(grant, issued, due), lastRefreshAt: now };
  if (expiresAt === null || expiresAt > requestedAt) return { grant: renewed, tokens };
  // The refresh token may be new and is kept, but asking again at once would bring no better one.
  const before = { ...renewed, failure: grant.failure };
  return { grant: withFailure(before, lapsedAtOnce, now, random.fraction()), tokens };
}

const lapsedAtOnce: FailedRefresh = {
  code: 'provider_answer_invalid',
  message: 'The provider gave a token that had lapsed already.',
  retryAfterSeconds: undefined,
};

function isProviderError(error: BrokerError): error is BrokerError & { readonly code: ProviderErrorCode } {
  return (providerErrorCodes as readonly string[]).includes(error.code);
}

function placeOf({ key }: StoredGrant): Record<string, unknown> {
  return { org: key.org, connection_org: key.connectionOrg, connection: key.connection };
}
