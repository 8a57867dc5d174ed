import type { Caller } from '../../domain/caller.ts';
import { hasCode } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { type ConnectionQuery, findConnectionToChange, readGrant } from '../connections/find-connection.ts';
import { connectionNotReady } from '../credentials/connection-not-ready.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GrantRefresher } from './refresh-grant.ts';

export interface RefreshedConnection {
  readonly found: StoredConnection;
  readonly stored: StoredGrant;
  readonly isRefreshed: boolean;
}

export type RefreshConnection = (
  request: ConnectionQuery & { readonly caller: Caller; readonly userId: UserId | null },
) => Promise<RefreshedConnection>;

type Needs = Pick<Dependencies, 'clock' | 'connections' | 'grants'> & { readonly refresher: GrantRefresher };

const leaseWaitMs = 10_000;

/**
 * Refreshes a grant now, whatever its token's age; a refresh that somebody else committed meanwhile counts. Throws
 * `connection_not_found`, `connection_not_ready`, and what `GrantRefresher.refresh` throws.
 */
export function createRefreshConnection(needs: Needs): RefreshConnection {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    const stored = await readGrant(needs, found, request.org, request.userId);
    if (stored === undefined) throw connectionNotReady(found, undefined, request, needs.clock.now());
    const { seq } = stored.grant;
    try {
      const outcome = await needs.refresher.refresh({
        connection: found.connection,
        stored,
        isFresh: (current) => current.grant.seq > seq,
        waitMs: leaseWaitMs,
      });
      return { found, stored: outcome.stored, isRefreshed: outcome.isRefreshed };
    } catch (error) {
      if (!hasCode(error, 'connection_not_ready')) throw error;
      throw connectionNotReady(found, stored, request, needs.clock.now());
    }
  };
}
