import type { Caller } from '../../domain/caller.ts';
import { withoutTokens } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { revokeGrant } from './discard-tokens.ts';
import { type ConnectionQuery, findConnectionToChange, grantKeyOf } from './find-connection.ts';

export interface Disconnected {
  readonly found: StoredConnection;
  /** The provider confirmed that the tokens are revoked. */
  readonly isRevoked: boolean;
}

export type Disconnect = (
  request: ConnectionQuery & { readonly caller: Caller; readonly userId: UserId | null },
) => Promise<Disconnected>;

type Needs = Pick<
  Dependencies,
  | 'random'
  | 'connections'
  | 'grants'
  | 'transactions'
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
export function createDisconnect(needs: Needs): Disconnect {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    const generation = needs.random.id();
    let dropped: StoredGrant | undefined;
    await needs.grants.update(grantKeyOf(found, request.org, request.userId), (current) => {
      dropped = current;
      if (current === undefined) return undefined;
      return { grant: withoutTokens(current.grant, generation, found.connection.endpointsId), tokens: null };
    });
    if (dropped === undefined) return { found, isRevoked: false };
    const pending = dropped.grant.pending?.stateHash;
    if (pending !== undefined) await needs.transactions.consume(pending);
    return { found, isRevoked: await revokeGrant(needs, found.connection, dropped) };
  };
}
