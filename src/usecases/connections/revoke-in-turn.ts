import type { Connection } from '../../domain/connection.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { type DiscardNeeds, isRevocationWanted, type Revocation, revokeGrant } from './discard-tokens.ts';
import { oauthClient } from './oauth-client.ts';

type Needs = DiscardNeeds & Pick<Dependencies, 'grants'>;

/** Revokes one more grant that was removed with the connection. Never throws. */
export type RevokeNext = (removed: Connection, stored: StoredGrant) => Promise<Revocation>;

/**
 * For the many grants of a connection that is about to be removed: gets the client while its secret is still in the
 * vault. A provider that does not answer once is not waited for again: the other tokens are kept to be revoked later.
 */
export async function startRevoking(
  needs: Needs,
  connection: Connection,
  isAsked: boolean | undefined,
): Promise<RevokeNext> {
  const clients = isRevocationWanted(needs, connection, { isAsked }) ? await clientsOf(needs, connection) : {};
  let isPutOff = false;
  return async (removed, stored) => {
    const isSame = removed.endpointsId === connection.endpointsId;
    const options = { isAsked, isPutOff, ...(isSame && clients) };
    const revocation = await revokeGrant(needs, removed, stored, options);
    if (revocation.pendingId !== null) isPutOff = true;
    return revocation;
  };
}

interface Clients {
  readonly client?: OAuthClient | undefined;
  readonly previousClient?: OAuthClient | undefined;
}

async function clientsOf(needs: Needs, connection: Connection): Promise<Clients> {
  const { previousClientSecretRef: clientSecretRef } = connection;
  const client = await clientOrNone(needs, connection);
  if (clientSecretRef === null) return { client };
  return { client, previousClient: await clientOrNone(needs, { ...connection, clientSecretRef }) };
}

/** Without a client the connection is deleted all the same. */
async function clientOrNone(needs: Needs, connection: Connection): Promise<OAuthClient | undefined> {
  try {
    return await oauthClient(needs, connection);
  } catch (cause) {
    needs.logger.warn('revocation_without_client', { org: connection.org, connection: connection.name, cause });
    return undefined;
  }
}
