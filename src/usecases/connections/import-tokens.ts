import type { Caller } from '../../domain/caller.ts';
import { mintsTokens } from '../../domain/connection.ts';
import { dueAt } from '../../domain/due.ts';
import { BrokerError } from '../../domain/errors.ts';
import { emptyGrant, type Tokens } from '../../domain/grant.ts';
import { withTokenSet } from '../../domain/grant-transitions.ts';
import type { UserId } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { TokenSet } from '../../domain/token-set.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { GrantChange, StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GrantRefresher } from '../refresh/refresh-grant.ts';
import { type ConnectionQuery, connectionNotFound, findConnectionToChange, grantKeyOf } from './find-connection.ts';
import { profileOf } from './profile-of.ts';

export interface TokenImport extends ConnectionQuery {
  readonly caller: Caller;
  readonly userId: UserId | null;
  readonly accessToken: Secret | null;
  readonly refreshToken: Secret | null;
  readonly expiresAt: number | null;
  readonly scopes: string | null;
}

export interface ImportedTokens {
  readonly found: StoredConnection;
  readonly stored: StoredGrant;
  readonly isRefreshed: boolean;
}

export type ImportTokens = (request: TokenImport) => Promise<ImportedTokens>;

type Needs = Pick<Dependencies, 'clock' | 'random' | 'connections' | 'grants' | 'providers' | 'policy' | 'logger'> & {
  readonly refresher: GrantRefresher;
};

const refreshWaitMs = 10_000;

/**
 * Takes tokens that were obtained elsewhere in place of the grant's own. A refresh token without an access token is
 * used at once to get one; the import stands even when the provider does not answer. Throws `connection_not_found`,
 * `validation_failed` for a flow that makes its own tokens.
 */
export function createImportTokens(needs: Needs): ImportTokens {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    assertImportable(found, request);
    const generation = needs.random.id();
    const stored = await needs.grants.update(grantKeyOf(found, request.org, request.userId), (current) =>
      changeOf(needs, request, found, generation, current),
    );
    if (stored === undefined) throw connectionNotFound(request.name);
    if (request.accessToken !== null) return { found, stored, isRefreshed: false };
    return { found, ...(await firstRefresh(needs, found, stored)) };
  };
}

function assertImportable({ connection }: StoredConnection, { accessToken, refreshToken }: TokenImport): void {
  const { flowType } = connection.config;
  if (mintsTokens(flowType)) {
    throw new BrokerError('validation_failed', `A connection of type ${flowType} gets its tokens by itself.`);
  }
  if (flowType === 'api_key' || flowType === 'token_exchange') {
    throw new BrokerError('validation_failed', `A connection of type ${flowType} takes no tokens.`);
  }
  if (accessToken === null && refreshToken === null) {
    const message = 'is needed, or refresh_token';
    throw new BrokerError('validation_failed', `access_token ${message}`, {
      details: [{ path: 'access_token', message }],
    });
  }
}

function changeOf(
  { clock, random, providers, policy }: Needs,
  { accessToken, refreshToken, expiresAt, scopes }: TokenImport,
  { connection }: StoredConnection,
  generation: string,
  current: StoredGrant | undefined,
): GrantChange {
  const now = clock.now();
  const tokens: Tokens = { accessToken, refreshToken, tokenType: 'Bearer', account: null, metadata: {} };
  const base = { ...emptyGrant(generation, connection.endpointsId), seq: current?.grant.seq ?? 0 };
  if (accessToken === null) {
    const waiting = { ...base, seq: base.seq + 1, hasRefreshToken: true, grantedScopes: scopes, dueAt: now };
    return { grant: waiting, tokens };
  }
  const issued: TokenSet = { tokens, requestedAt: now, expiresAt, scopes };
  const token = { issuedAt: now, expiresAt, hasRefreshToken: refreshToken !== null };
  const due = dueAt(token, policy, random.fraction(), profileOf({ providers }, connection.config).lives);
  // How long the provider's tokens live is not known from one that is already in use.
  return { grant: { ...withTokenSet(base, issued, due), lifeSeconds: null }, tokens };
}

async function firstRefresh(needs: Needs, { connection }: StoredConnection, stored: StoredGrant) {
  const isFresh = ({ grant }: StoredGrant) => grant.seq > stored.grant.seq;
  try {
    const outcome = await needs.refresher.refresh({ connection, stored, isFresh, waitMs: refreshWaitMs });
    return { stored: outcome.stored, isRefreshed: outcome.isRefreshed };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    needs.logger.warn('imported_token_not_refreshed', {
      org: connection.org,
      connection: connection.name,
      code: error.code,
    });
    return { stored: (await needs.grants.read(stored.key)) ?? stored, isRefreshed: false };
  }
}
