import { type Caller, isPlatformCaller } from '../../domain/caller.ts';
import { isSharedWith } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { GrantKey } from '../../domain/grant.ts';
import { type ConnectionName, GLOBAL, type OrgId, type UserId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';

export interface ConnectionQuery {
  readonly org: OrgId;
  readonly name: ConnectionName;
}

/**
 * Finds the connection that a name means to an organisation: its own, else the `GLOBAL` one that is shared with it.
 * Throws `connection_not_found`, which looks the same for a connection of somebody else.
 */
export async function findConnection(
  { connections }: Pick<Dependencies, 'connections'>,
  { org, name }: ConnectionQuery,
): Promise<StoredConnection> {
  const own = await connections.get({ org, name });
  if (own !== undefined) return own;
  const shared = org === GLOBAL ? undefined : await connections.get({ org: GLOBAL, name });
  if (shared === undefined || !isSharedWith(shared.connection, org)) throw connectionNotFound(name);
  return shared;
}

/**
 * Finds a connection that the caller is about to change, or whose own grant they are about to change. A `GLOBAL`
 * connection is changed by naming `GLOBAL`, which takes rights on it; a user's grant through it lies in the caller's
 * organisation and may be changed there. Throws `connection_not_found`, or `organization_forbidden` for a `GLOBAL` one.
 */
export async function findConnectionToChange(
  dependencies: Pick<Dependencies, 'connections'>,
  query: ConnectionQuery & { readonly userId: UserId | null; readonly caller: Caller },
): Promise<StoredConnection> {
  const found = await findConnection(dependencies, query);
  if (found.connection.org === query.org || query.userId !== null) return found;
  throw new BrokerError(
    'organization_forbidden',
    isPlatformCaller(query.caller)
      ? 'This connection belongs to GLOBAL. Send X-Organization-Id: GLOBAL to change it.'
      : 'This connection belongs to GLOBAL and can be changed only with rights on GLOBAL.',
  );
}

/** The key of the grant that a user, or the organisation itself, has through a connection. */
export function grantKeyOf(found: StoredConnection, org: OrgId, userId: UserId | null): GrantKey {
  if (userId === null) return found.own.key;
  return { connectionOrg: found.connection.org, org, connection: found.connection.name, userId };
}

/**
 * The grant that a user, or the organisation itself, has through a connection. Undefined when the user has none, or
 * has one that was given under other endpoints, whose tokens these must not see.
 */
export async function readGrant(
  { grants }: Pick<Dependencies, 'grants'>,
  found: StoredConnection,
  org: OrgId,
  userId: UserId | null,
): Promise<StoredGrant | undefined> {
  if (userId === null) return found.own;
  const stored = await grants.read(grantKeyOf(found, org, userId));
  return stored?.grant.endpointsId === found.connection.endpointsId ? stored : undefined;
}

export function connectionNotFound(name: ConnectionName): BrokerError {
  return new BrokerError('connection_not_found', `There is no connection named "${name}" in this organisation.`);
}
