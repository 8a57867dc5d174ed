import type { Connection } from '../../domain/connection.ts';
import type { Tokens } from '../../domain/grant.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { oauthClient } from './oauth-client.ts';

type Needs = Pick<Dependencies, 'vault' | 'providers' | 'policy' | 'authorizationServer' | 'grants' | 'logger'>;

/**
 * Revokes tokens at the provider where it can. Never throws: the local tokens are gone already, and that must stand.
 * `client` is the one that got them, where it is at hand: the secret of a connection that was deleted meanwhile is gone
 * from the vault. Resolves to whether the provider confirmed.
 */
export async function revokeTokens(
  needs: Omit<Needs, 'grants'>,
  connection: Connection,
  tokens: Tokens,
  client?: OAuthClient,
): Promise<boolean> {
  if (connection.config.endpoints.revocationUrl === null) return false;
  try {
    return await needs.authorizationServer.revoke(client ?? (await oauthClient(needs, connection)), tokens);
  } catch (cause) {
    needs.logger.warn('revocation_failed', { org: connection.org, connection: connection.name, cause });
    return false;
  }
}

/**
 * Opens the tokens of a grant that was just removed, and revokes them. Tokens that cannot be opened are left, and so are
 * those that were given under other endpoints: these must not see them.
 */
export async function revokeGrant(needs: Needs, connection: Connection, stored: StoredGrant): Promise<boolean> {
  if (connection.config.endpoints.revocationUrl === null) return false;
  if (stored.grant.endpointsId !== connection.endpointsId) return false;
  try {
    const tokens = await needs.grants.open(stored);
    return tokens !== null && (await revokeTokens(needs, connection, tokens));
  } catch (cause) {
    needs.logger.warn('revocation_failed', { org: connection.org, connection: connection.name, cause });
    return false;
  }
}
