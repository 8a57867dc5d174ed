import { type Connection, mintsTokens } from '../../domain/connection.ts';
import { lastChanceAt } from '../../domain/due.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import { serverOf, type Tokens } from '../../domain/grant.ts';
import { canRefresh } from '../../domain/grant-status.ts';
import { mayRetryRefresh } from '../../domain/provider.ts';
import type { Claim, StoredGrant } from '../../ports/grant-store.ts';
import type { ProviderKey } from '../../ports/provider-gate.ts';
import { subjectOfGrant } from '../audit/audit-trail.ts';
import { profileOf } from '../connections/profile-of.ts';
import { type ActingConnection, asFallback, needsFallback } from './acting-connection.ts';
import { refreshInProgress } from './refresh-in-progress.ts';
import { type DrainNeeds, type RequestedTokens, requestTokens } from './request-tokens.ts';
import { type RefreshNeeds, type RefreshResult, settleFailure, settleSuccess } from './settle-refresh.ts';
import { createFlights, type Flight } from './single-flight.ts';

export interface RefreshRequest {
  readonly connection: Connection;
  /** The grant as it was last read. */
  readonly stored: StoredGrant;
  /** Whether a grant needs no refresh any more: somebody else may have done it meanwhile. */
  readonly isFresh: (current: StoredGrant) => boolean;
  /** How long to wait behind somebody else's lease. */
  readonly waitMs: number;
  /** Waits for room at the provider for as long as it takes. Otherwise 10 s from the start. */
  readonly hasTime?: boolean;
  /**
   * The access token that there is will do. After a refresh whose outcome is lost, it is used up first then: the
   * refresh token may be spent, and trying it would end the grant.
   */
  readonly mayWaitForLapse?: boolean;
  /** Somebody waits for a token: where no person's is left, the client's own credentials may get one. */
  readonly mayFallBack?: boolean;
}

export interface GrantRefresher {
  /**
   * The one path on which tokens are refreshed: the sweep, a reader, an operator and an import all end here. Claims
   * the grant's lease before the provider is called, so that no refresh token is ever submitted twice.
   *
   * Resolves to the grant as it is afterwards. Throws `connection_not_ready` when a person must act first,
   * `refresh_in_progress` when somebody else held the lease for longer than `waitMs`, when there was no room at the
   * provider in time, or when this process is stopping and has not asked the provider,
   * a `ProviderErrorCode` when the provider did not give tokens, and the stores' own errors.
   */
  refresh(request: RefreshRequest): Promise<RefreshResult>;
  /**
   * Claims nothing new, and resolves when what is in flight has ended. A flight that was not ready to send within two
   * seconds gives its lease back.
   */
  drain(): Promise<void>;
}

type FlightNeeds = RefreshNeeds & DrainNeeds;

const firstWaitMs = 50;
const longestWaitMs = 1000;
const roomWaitMs = 10_000;
/** So long after it began to drain a process may send: it waits for 12 s, and a call takes 8 s and its commit. */
const latestSendMs = 2000;

export function createGrantRefresher(outside: RefreshNeeds): GrantRefresher {
  const flights = createFlights<RefreshResult>();
  let drainsAt = Number.POSITIVE_INFINITY;
  const isTooLateToSend = () => outside.clock.now() - drainsAt > latestSendMs;
  const needs: FlightNeeds = { ...outside, isTooLateToSend };

  async function refresh(request: RefreshRequest): Promise<RefreshResult> {
    const startedAt = needs.clock.now();
    const deadline = startedAt + request.waitMs;
    let current = request.stored;
    for (let round = 0; ; round += 1) {
      if (request.isFresh(current)) return { stored: current, isRefreshed: false };
      assertRefreshable(actingFor(needs, request, current), current);
      if (flights.isDraining()) throw refreshInProgress('this process is stopping');
      needs.gate.assertOpen(providerOf(request.connection));
      const snapshot = current;
      const flight = flights.share(flightKey(snapshot), (takeOff) => fly(request, snapshot, takeOff));
      if (request.hasTime !== true) await takeOffBy(needs, flight, startedAt + roomWaitMs);
      const result = await flight.landed;
      if (result?.isRefreshed) return result;
      if (result?.isPutOff && request.mayWaitForLapse) return result;
      if (result !== undefined) {
        current = result.stored;
        continue;
      }
      if (needs.clock.now() >= deadline) throw refreshInProgress('the lease is held elsewhere');
      await needs.clock.sleep(waitMs(round, needs.random.fraction()));
      current = await reread(needs, current);
    }
  }

  /** There must be room at the provider before the claim: a lease is short, and nobody is to hold one and wait. */
  function fly({ connection, ...request }: RefreshRequest, snapshot: StoredGrant, takeOff: () => void) {
    return needs.gate.withRoom(providerOf(connection), async () => {
      takeOff();
      if (flights.isDraining()) throw refreshInProgress('this process is stopping');
      needs.gate.assertOpen(providerOf(connection));
      return claimAndRefresh(needs, { connection, ...request }, snapshot);
    });
  }

  function drain(): Promise<void> {
    drainsAt = Math.min(drainsAt, outside.clock.now());
    return flights.drain();
  }

  return { refresh, drain };
}

/** Gives up in time while a flight waits for room; one that has taken off is waited for. */
async function takeOffBy({ clock, random }: RefreshNeeds, flight: Flight<RefreshResult>, deadline: number) {
  for (let round = 0; !flight.hasTakenOff(); round += 1) {
    const leftMs = deadline - clock.now();
    if (leftMs <= 0) throw refreshInProgress('there was no room at the provider');
    const pauseMs = Math.min(leftMs, waitMs(round, random.fraction()));
    await Promise.race([flight.takenOff, flight.landed, clock.sleep(pauseMs)]);
  }
}

/** Resolves to undefined while somebody else holds the lease. */
async function claimAndRefresh(
  needs: FlightNeeds,
  request: RefreshRequest,
  snapshot: StoredGrant,
): Promise<RefreshResult | undefined> {
  const { connection, isFresh, mayWaitForLapse = false } = request;
  const isDone = (current: StoredGrant) =>
    isFresh(current) || !canRefresh(current.grant, actingFor(needs, request, current).config.flowType);
  const result = await needs.grants.claim(snapshot, isDone);
  switch (result.kind) {
    case 'busy':
      return undefined;
    case 'fresh':
      return { stored: result.stored, isRefreshed: false };
    case 'gone':
      throw gone(snapshot);
    case 'claimed':
      return (
        (mayWaitForLapse ? await waitForLapse(needs, connection, result.claim) : undefined) ??
        refreshUnderClaim(needs, actingFor(needs, request, result.claim.stored), result.claim)
      );
  }
}

/** Undefined: there is nothing to wait for. */
async function waitForLapse(
  needs: RefreshNeeds,
  connection: Connection,
  claim: Claim,
): Promise<RefreshResult | undefined> {
  const { grant } = claim.stored;
  const lastChance = lastChanceAt(grant, needs.policy);
  const mayRetry = mayRetryRefresh(profileOf(needs, connection.config), claim.interruptedMs);
  const isWorthIt =
    claim.isTakeover && !mayRetry && !mintsTokens(connection.config.flowType) && grant.status === 'completed';
  if (!isWorthIt || lastChance === null || lastChance <= needs.clock.now()) return undefined;
  const result = await needs.grants.commit(claim, { grant: { ...grant, dueAt: lastChance } });
  await needs.audit.note({ ...subjectOfGrant(claim.stored.key), action: 'grant.takeover', outcome: 'success' });
  return { stored: 'stored' in result ? result.stored : claim.stored, isRefreshed: false, isPutOff: true };
}

async function refreshUnderClaim(
  needs: FlightNeeds,
  connection: ActingConnection,
  claim: Claim,
): Promise<RefreshResult> {
  const before = await openUnderClaim(needs, connection, claim);
  let requested: RequestedTokens;
  try {
    const call = () => requestTokens(needs, connection, before, claim.endsAt);
    requested = await needs.gate.attempt(providerOf(connection), call);
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    throw await settleFailure(needs, connection, claim, before, error);
  }
  const result = await settleSuccess(needs, connection, claim, requested);
  await requested.settleSecret();
  return result;
}

/** The connection as it gets tokens for a grant as it is now. */
function actingFor(
  needs: RefreshNeeds,
  { connection, mayFallBack = false }: RefreshRequest,
  stored: StoredGrant,
): ActingConnection {
  return mayFallBack && needsFallback(connection, stored) ? asFallback(needs, connection) : connection;
}

/** Nothing has been sent yet: when this fails, the lease is given back at once. */
async function openUnderClaim(needs: RefreshNeeds, connection: Connection, claim: Claim): Promise<Tokens | null> {
  try {
    if (claim.stored.grant.endpointsId !== connection.endpointsId) throw endpointsChanged();
    return await needs.grants.open(claim.stored);
  } catch (error) {
    if (hasCode(error, 'grant_unreadable') && mintsTokens(connection.config.flowType)) return null;
    await needs.grants.release(claim);
    throw error;
  }
}

function assertRefreshable(connection: Connection, { grant }: StoredGrant): void {
  if (grant.endpointsId !== connection.endpointsId) throw endpointsChanged();
  if (!canRefresh(grant, connection.config.flowType)) {
    throw new BrokerError(
      'connection_not_ready',
      'There is no refresh token. Somebody has to authorize the connection.',
    );
  }
}

async function reread(needs: RefreshNeeds, stored: StoredGrant): Promise<StoredGrant> {
  const current = await needs.grants.read(stored.key);
  if (current === undefined) throw gone(stored);
  return current;
}

function waitMs(round: number, jitter: number): number {
  const ceilingMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(round, 10));
  return ceilingMs / 2 + (jitter * ceilingMs) / 2;
}

export function providerOf({ org, endpointsId }: Connection): ProviderKey {
  return { org, server: serverOf({ endpointsId }) };
}

function flightKey({ key }: StoredGrant): string {
  return JSON.stringify([key.connectionOrg, key.org, key.connection, key.userId]);
}

function endpointsChanged(): BrokerError {
  return new BrokerError('connection_not_ready', 'The connection was changed. Its tokens belong to the old settings.');
}

function gone({ key }: StoredGrant): BrokerError {
  return new BrokerError('connection_not_found', `The connection "${key.connection}" was deleted.`);
}
