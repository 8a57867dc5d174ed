import { mintsTokens, missingScopes } from '../../domain/connection.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Failure, Grant, Tokens } from '../../domain/grant.ts';
import { canRefresh } from '../../domain/grant-status.ts';
import { needsAdministrator } from '../../domain/grant-transitions.ts';
import { asksTooMuch, livesLongEnough, remainingMs, type WantedLife } from '../../domain/token-life.ts';
import type { Cache } from '../../ports/cache.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { findConnection, readGrant } from '../connections/find-connection.ts';
import { profileOf } from '../connections/profile-of.ts';
import type { Dependencies } from '../dependencies.ts';
import { needsFallback } from '../refresh/acting-connection.ts';
import type { GrantRefresher, RefreshRequest } from '../refresh/refresh-grant.ts';
import type { RefreshResult } from '../refresh/settle-refresh.ts';
import type { UseWorkflow } from '../workflows/use-workflow.ts';
import { apiKeyInstead } from './api-key-instead.ts';
import { connectionNotReady } from './connection-not-ready.ts';
import type { Credentials, CredentialsRequest } from './credentials.ts';

/** A grant with its tokens open, as this process last saw it. */
export interface OpenGrant {
  readonly found: StoredConnection;
  readonly stored: StoredGrant;
  readonly tokens: Tokens;
}

/** What this process has seen of a grant, so that a late answer of storage is not taken for news. */
export interface SeenGrant extends Pick<Grant, 'generation' | 'seq'> {
  /** Reads that overlapped have seen different generations: only one that began after `seenAt` can tell. */
  readonly isDisputed: boolean;
  readonly seenAt: number;
}

export type GetCredentials = (request: CredentialsRequest) => Promise<Credentials>;

type Needs = Pick<Dependencies, 'clock' | 'connections' | 'grants' | 'vault' | 'providers' | 'policy' | 'logger'> & {
  readonly refresher: GrantRefresher;
  readonly cache: Cache<OpenGrant>;
  /** Outlives the cache, and any request. */
  readonly seen: Cache<SeenGrant>;
  readonly useWorkflow: UseWorkflow;
};

const leaseWaitMs = 10_000;
const forcedRefreshEveryMs = 30_000;

/**
 * Gives a live access token for a connection by name, refreshed first where it must be. Where somebody would have to
 * act first, it gives what the connection falls back to: the client's own credentials, then an API key.
 *
 * Throws `connection_not_found`; `workflow_disabled`; `connection_not_ready` with what a person can do;
 * `token_life_too_short` when the provider's tokens never live that long; `scopes_missing`; `refresh_in_progress`; and
 * `provider_unavailable` or `provider_answer_invalid` when the token has lapsed and the provider does not give another.
 */
export function createGetCredentials(needs: Needs): GetCredentials {
  return async (request) => {
    const key = JSON.stringify([request.org, request.name, request.userId]);
    const wanted: WantedLife = {
      seconds: request.minTtlSeconds ?? needs.policy.credentialMinTtlSeconds,
      isExplicit: request.minTtlSeconds !== null,
    };
    const askedAt = needs.clock.now();
    const cached = request.forceRefresh ? undefined : needs.cache.get(key);
    const live = await liveGrant(needs, request, wanted, cached).catch(async (error: unknown) => {
      const fallback = await apiKeyInstead(needs, request, error);
      if (fallback === undefined) throw error;
      return fallback;
    });
    if ('accessToken' in live) return withScopes(needs, live, request, null);
    if (live.stored !== cached?.stored) {
      remember(needs, key, live, askedAt);
      await needs.grants.touch(live.stored, needs.clock.now());
    }
    return withScopes(needs, present(live, request), request, live);
  };
}

/**
 * Remembers a grant unless another read, which storage answered sooner, has seen a newer one. What was remembered before
 * goes even where this one was asked for too long ago to take its place.
 */
function remember({ cache, seen, clock }: Needs, key: string, live: LiveGrant, askedAt: number): void {
  const { generation, seq } = live.stored.grant;
  const known = seen.get(key);
  const isSame = known?.generation === generation;
  if (isSame && known.seq > seq) return;
  cache.delete(key);
  // Generations have no order: of two whose reads overlapped nobody can tell which is newer, and the next read asks.
  const isNews = known === undefined || (isSame && !known.isDisputed) || known.seenAt <= askedAt;
  // Those of before the dispute must not prolong it.
  if (isSame && !isNews) return;
  seen.set(key, { generation, seq, seenAt: clock.now(), isDisputed: !isNews });
  if (isNews) cache.set(key, live, askedAt);
}

interface LiveGrant extends OpenGrant {
  readonly isRefreshed: boolean;
}

async function liveGrant(
  needs: Needs,
  request: CredentialsRequest,
  wanted: WantedLife,
  cached: OpenGrant | undefined,
): Promise<LiveGrant> {
  const found = cached?.found ?? (await findConnection(needs, request));
  if (request.workflowId !== null) await needs.useWorkflow(request.org, request.workflowId, found.connection);
  if (cached !== undefined && livesLongEnough(cached.stored.grant, wanted, needs.clock.now(), marginOf(needs, found))) {
    return { ...cached, isRefreshed: false };
  }
  const current = cached === undefined ? found : await findConnection(needs, request);
  const stored = await readGrant(needs, current, request.org, request.userId);
  if (stored === undefined) throw connectionNotReady(current, undefined, request, needs.clock.now());
  return refreshed(needs, request, wanted, current, stored);
}

async function refreshed(
  needs: Needs,
  request: CredentialsRequest,
  wanted: WantedLife,
  found: StoredConnection,
  stored: StoredGrant,
): Promise<LiveGrant> {
  const margin = marginOf(needs, found);
  const isLongEnough = ({ grant }: StoredGrant) => livesLongEnough(grant, wanted, needs.clock.now(), margin);
  if (!request.forceRefresh && isLongEnough(stored)) return opened(needs, found, stored);
  if (asksTooMuch(stored.grant, wanted)) throw lifeTooShort(stored);
  const isForced = forced(needs, stored);
  // A refresh of the last 30 s satisfies force, not the promised life: of a short one too little may be left by now.
  const isFresh = (current: StoredGrant) => isLongEnough(current) && (!request.forceRefresh || isForced(current));
  const mayWaitForLapse = request.forceRefresh && isLongEnough(stored);
  const outcome = await tryRefresh(needs, found, stored, { isFresh, mayWaitForLapse });
  if (outcome instanceof BrokerError) {
    const next = await withoutPerson(needs, request, outcome);
    return next === undefined
      ? salvaged(needs, request, wanted, outcome)
      : refreshed(needs, request, wanted, next.found, next.stored);
  }
  const { failure } = outcome.stored.grant;
  const now = needs.clock.now();
  if (failure !== null && remainingMs(outcome.stored.grant, now) <= 0)
    throw coolingDown(failure, failure.readRetryAt - now);
  if (wanted.isExplicit && !isLongEnough(outcome.stored)) throw lifeTooShort(outcome.stored);
  if (!outcome.tokens) return opened(needs, found, outcome.stored);
  return { found, stored: outcome.stored, tokens: outcome.tokens, isRefreshed: outcome.isRefreshed };
}

/** The grant has just died: where the client's own credentials may serve in its place, they do so at once. */
async function withoutPerson(needs: Needs, request: CredentialsRequest, failure: BrokerError) {
  if (!hasCode(failure, 'needs_reauthorization')) return undefined;
  const found = await findConnection(needs, request);
  return request.userId === null && needsFallback(found.connection, found.own)
    ? { found, stored: found.own }
    : undefined;
}

/** Within how many seconds before its end the provider refreshes a token. Null: at any time. */
function marginOf(needs: Needs, { connection }: StoredConnection): number | null {
  return profileOf(needs, connection.config).lives.refreshMarginSeconds;
}

/** Resolves to the failure instead of throwing it: a token that still lives may be served in spite of it. */
async function tryRefresh(
  needs: Needs,
  { connection }: StoredConnection,
  stored: StoredGrant,
  how: Pick<RefreshRequest, 'isFresh' | 'mayWaitForLapse'>,
): Promise<RefreshResult | BrokerError> {
  const now = needs.clock.now();
  const { failure } = stored.grant;
  if (!canRefresh(stored.grant, connection.config.flowType) && !needsFallback(connection, stored)) {
    return new BrokerError('connection_not_ready', 'There is no refresh token.');
  }
  if (failure !== null && failure.readRetryAt > now) return coolingDown(failure, failure.readRetryAt - now);
  try {
    return await needs.refresher.refresh({ connection, stored, ...how, waitMs: leaseWaitMs, mayFallBack: true });
  } catch (error) {
    if (error instanceof BrokerError) return error;
    throw error;
  }
}

/**
 * Serves the token that there is while it lives, unless the grant is dead or the caller insists on a longer life. All
 * is read again first: it may have been disconnected or deleted while the refresh was tried. Where somebody has to act,
 * the answer says how the grant stands now; where time heals, the failure says it all.
 */
async function salvaged(
  needs: Needs,
  request: CredentialsRequest,
  wanted: WantedLife,
  failure: BrokerError,
): Promise<LiveGrant> {
  const found = await findConnection(needs, request);
  const stored = await readGrant(needs, found, request.org, request.userId);
  const now = needs.clock.now();
  if (stored !== undefined && isServable(stored, wanted, now)) return opened(needs, found, stored);
  const isForPerson = hasCode(failure, 'needs_reauthorization', 'connection_not_ready', 'connection_not_found');
  throw isForPerson || needsAdministrator(failure.code) ? connectionNotReady(found, stored, request, now) : failure;
}

function isServable({ grant }: StoredGrant, wanted: WantedLife, now: number): boolean {
  const isAlive = grant.hasTokens && grant.status === 'completed' && remainingMs(grant, now) > 0;
  return isAlive && (!wanted.isExplicit || livesLongEnough(grant, wanted, now));
}

async function opened(needs: Needs, found: StoredConnection, stored: StoredGrant): Promise<LiveGrant> {
  const tokens = await needs.grants.open(stored);
  if (tokens === null)
    throw new BrokerError('grant_unreadable', 'The tokens of this connection are gone. Authorize it again.');
  return { found, stored, tokens, isRefreshed: false };
}

/** A commit after the request arrived satisfies it, and so does any refresh of the last 30 s. */
function forced({ clock }: Needs, { grant: { seq } }: StoredGrant): (current: StoredGrant) => boolean {
  return ({ grant }) =>
    grant.seq > seq || (grant.hasTokens && clock.now() - (grant.lastRefreshAt ?? 0) < forcedRefreshEveryMs);
}

function present({ found, stored, tokens, isRefreshed }: LiveGrant, request: CredentialsRequest): Credentials {
  if (tokens.accessToken === null) throw new BrokerError('internal_error', 'The access token is missing.');
  return {
    connection: found.connection.name,
    org: found.connection.org,
    userId: request.userId,
    accessToken: tokens.accessToken,
    tokenType: tokens.tokenType,
    expiresAt: stored.grant.expiresAt,
    scopes: stored.grant.grantedScopes ?? found.connection.config.scopes,
    method: methodOf(found, stored, isRefreshed),
    metadata: tokens.metadata,
  };
}

/** A token that serves in a person's place says so each time. */
function methodOf({ connection }: StoredConnection, { grant }: StoredGrant, isRefreshed: boolean) {
  const { flowType } = connection.config;
  if (grant.isFallback) return 'client_credentials';
  if (flowType === 'api_key') return flowType;
  if (!isRefreshed) return 'saved_token';
  return mintsTokens(flowType) ? flowType : 'refreshed';
}

/** Where the provider said nothing, what was asked for counts as granted (RFC 6749 section 5.1). */
function withScopes(
  needs: Needs,
  credentials: Credentials,
  { requiredScopes }: CredentialsRequest,
  live: LiveGrant | null,
): Credentials {
  const granted = {
    grantedScopes: credentials.scopes ?? '',
    hasRefreshToken: live?.stored.grant.hasRefreshToken ?? false,
  };
  const spelling = live === null ? undefined : profileOf(needs, live.found.connection.config).scopes;
  const missing = missingScopes(requiredScopes, granted, spelling);
  if (missing.length === 0) return credentials;
  throw new BrokerError(
    'scopes_missing',
    `The token lacks ${missing.join(', ')}. Add them to the connection's scopes and authorize it again.`,
    { extra: { missing_scopes: missing } },
  );
}

function coolingDown({ code, message }: Failure, waitMs: number): BrokerError {
  return new BrokerError(code, message, {
    detail: 'not called: the last failure is too recent',
    retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)),
  });
}

function lifeTooShort({ grant }: StoredGrant): BrokerError {
  return new BrokerError(
    'token_life_too_short',
    `The provider's access tokens live ${grant.lifeSeconds ?? 0} s, which is shorter than min_ttl_seconds.`,
  );
}
