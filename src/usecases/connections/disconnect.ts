import type { Caller } from '../../domain/caller.ts';
import { withoutTokens } from '../../domain/grant.ts';
import type { OrgId, UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { notRevoked, type Revocation, revokeGrant } from './discard-tokens.ts';
import { type ConnectionQuery, findConnectionToChange, grantKeyOf } from './find-connection.ts';

export interface Disconnected {
  readonly found: StoredConnection;
  readonly revocation: Revocation;
  /** There was something to drop. */
  readonly isDropped: boolean;
}

export type Disconnect = (
  request: ConnectionQuery & {
    readonly caller: Caller;
    readonly userId: UserId | null;
    /** Undefined: as `revokeTokens` has it. */
    readonly revoke: boolean | undefined;
  },
) => Promise<Disconnected>;

export type DisconnectNeeds = Pick<
  Dependencies,
  | 'clock'
  | 'random'
  | 'connections'
  | 'grants'
  | 'transactions'
  | 'revocations'
  | 'vault'
  | 'providers'
  | 'policy'
  | 'authorizationServer'
  | 'logger'
>;

/**
 * Drops a grant's tokens and keeps the configuration. The tokens go first, then the provider is asked to revoke them,
 * which may fail. Throws `connection_not_found`; a user without a grant is no failure.
 */
export function createDisconnect(needs: DisconnectNeeds): Disconnect {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    return dropGrant(needs, found, request, request.revoke);
  };
}

/** The same for a connection that is at hand, whoever may change it. */
export async function dropGrant(
  needs: DisconnectNeeds,
  found: StoredConnection,
  { org, userId }: { readonly org: OrgId; readonly userId: UserId | null },
  isAsked: boolean | undefined,
): Promise<Disconnected> {
  const generation = needs.random.id();
  let dropped: StoredGrant | undefined;
  await needs.grants.update(grantKeyOf(found, org, userId), (current) => {
    dropped = current;
    if (current === undefined) return undefined;
    return { grant: withoutTokens(current.grant, generation, found.connection.endpointsId), tokens: null };
  });
  if (dropped === undefined) return { found, revocation: notRevoked, isDropped: false };
  const pending = dropped.grant.pending?.stateHash;
  if (pending !== undefined) await needs.transactions.consume(pending);
  const { hasTokens, hasRefreshToken } = dropped.grant;
  const revocation = await revokeGrant(needs, found.connection, dropped, { isAsked });
  return { found, revocation, isDropped: hasTokens || hasRefreshToken };
}
