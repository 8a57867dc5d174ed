import type { UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { GrantPageRequest, StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { type ConnectionQuery, findConnection } from './find-connection.ts';

export interface ListedGrants {
  readonly found: StoredConnection;
  readonly items: readonly StoredGrant[];
  readonly continuation: string | null;
}

export type ListGrants = (query: ConnectionQuery & { readonly page: GrantPageRequest }) => Promise<ListedGrants>;

/**
 * Lists the users of the caller's organisation who have a grant through a connection. Those given under earlier
 * endpoints are left out: they are dead. Throws `connection_not_found`.
 */
export function createListGrants(needs: Pick<Dependencies, 'connections' | 'grants'>): ListGrants {
  return async ({ page, ...query }) => {
    const found = await findConnection(needs, query);
    const { items, continuation } = await needs.grants.listUsers(found.connection, query.org, page);
    const { endpointsId } = found.connection;
    return { found, items: items.filter(({ grant }) => grant.endpointsId === endpointsId), continuation };
  };
}

/** A user's id of a listed grant, which always has one. */
export function userOf({ key }: StoredGrant): UserId {
  if (key.userId === null) throw new TypeError('a listed grant without a user');
  return key.userId;
}
