import type { Caller } from '../../domain/caller.ts';
import type { UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { type ConnectionQuery, findConnectionToChange, grantKeyOf } from '../connections/find-connection.ts';
import type { Dependencies } from '../dependencies.ts';

export interface Cancellation extends ConnectionQuery {
  readonly caller: Caller;
  readonly userId: UserId | null;
}

export type CancelAuthorization = (request: Cancellation) => Promise<{
  readonly found: StoredConnection;
  /** Undefined for a user who has no grant. */
  readonly stored: StoredGrant | undefined;
}>;

/**
 * Forgets the pending authorization of a grant; its status goes back to what it was. Nothing pending is no failure.
 * Throws `connection_not_found`.
 */
export function createCancelAuthorization(
  needs: Pick<Dependencies, 'connections' | 'grants' | 'transactions'>,
): CancelAuthorization {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    let cancelled: string | undefined;
    const stored = await needs.grants.update(grantKeyOf(found, request.org, request.userId), (current) => {
      cancelled = current?.grant.pending?.stateHash;
      return current === undefined || cancelled === undefined
        ? undefined
        : { grant: { ...current.grant, pending: null } };
    });
    if (cancelled !== undefined) await needs.transactions.consume(cancelled);
    return { found, stored };
  };
}
