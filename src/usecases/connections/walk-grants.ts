import { type ConnectionKey, isSharedWith } from '../../domain/connection.ts';
import { GLOBAL, type OrgId } from '../../domain/ids.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';

type Needs = Pick<Dependencies, 'connections' | 'grants'>;
type Grants = AsyncGenerator<StoredGrant>;

const limit = 100;

/** Every grant of every organisation: for the sweep alone. */
export async function* everyGrant({ connections, grants }: Needs): Grants {
  for await (const { items } of connections.walkOwn(null)) yield* items.map(({ own }) => own);
  for await (const { items } of grants.walkUsers(null)) yield* items;
}

/**
 * The grants that lie in one organisation: those of its connections, and those of its users through connections that
 * `GLOBAL` shares with it. Reads no other organisation's grants.
 */
export async function* grantsOf(needs: Needs, org: OrgId): Grants {
  for await (const { connection, own } of connectionsOf(needs, org)) {
    yield own;
    yield* usersOf(needs, connection, org);
  }
  for await (const { connection } of connectionsOf(needs, GLOBAL)) {
    if (isSharedWith(connection, org)) yield* usersOf(needs, connection, org);
  }
}

/** The users of every organisation who have a grant through a connection of `GLOBAL`, or of its own organisation. */
export async function* everyUserOf(needs: Needs, { org, name }: ConnectionKey): Grants {
  if (org !== GLOBAL) {
    yield* usersOf(needs, { org, name }, org);
    return;
  }
  for await (const { items } of needs.grants.walkUsers(null)) {
    yield* items.filter(({ key }) => key.connectionOrg === org && key.connection === name);
  }
}

async function* connectionsOf({ connections }: Needs, org: OrgId): AsyncGenerator<StoredConnection> {
  let continuation: string | null = null;
  do {
    const page = await connections.list(org, { limit, continuation });
    yield* page.items;
    continuation = page.continuation;
  } while (continuation !== null);
}

/** The users of an organisation who have a grant through a connection. */
export async function* usersOf({ grants }: Needs, connection: ConnectionKey, org: OrgId): Grants {
  let continuation: string | null = null;
  do {
    const page = await grants.listUsers(connection, org, { limit, continuation });
    yield* page.items;
    continuation = page.continuation;
  } while (continuation !== null);
}
