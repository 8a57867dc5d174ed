import type { Connection } from '../../domain/connection.ts';
import { hasCode } from '../../domain/errors.ts';
import type { Tokens } from '../../domain/grant.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { oauthClient, redirectUriOf } from './oauth-client.ts';
import { profileOf } from './profile-of.ts';

export type DiscardNeeds = Pick<
  Dependencies,
  'clock' | 'random' | 'vault' | 'providers' | 'policy' | 'authorizationServer' | 'revocations' | 'logger'
>;

export interface Revocation {
  /** The provider confirmed. */
  readonly isRevoked: boolean;
  /** The provider did not answer: under this id it will be asked again. */
  readonly pendingId: string | null;
}

export interface RevocationOptions {
  /**
   * The client that got the tokens, where it is at hand: the secret of a connection that was deleted meanwhile is gone
   * from the vault.
   */
  readonly client?: OAuthClient;
  /** Somebody asks for it: it is done also where it ends the tokens of other connections. False: nothing is revoked. */
  readonly isAsked?: boolean | undefined;
}

export const notRevoked: Revocation = { isRevoked: false, pendingId: null };

/**
 * Revokes tokens at the provider where it can. A provider whose connections share a token is asked only on request.
 * One that does not answer is asked again later. Never throws: the local tokens are gone already, and that must stand.
 */
export async function revokeTokens(
  needs: DiscardNeeds,
  connection: Connection,
  tokens: Tokens,
  { client, isAsked }: RevocationOptions = {},
): Promise<Revocation> {
  const { revocation } = profileOf(needs, connection.config);
  const isWanted = isAsked ?? revocation?.isShared !== true;
  if (connection.config.endpoints.revocationUrl === null || revocation === null || !isWanted) return notRevoked;
  let used = client;
  try {
    used ??= await oauthClient(needs, connection);
    return { isRevoked: await needs.authorizationServer.revoke(used, tokens), pendingId: null };
  } catch (cause) {
    needs.logger.warn('revocation_failed', { org: connection.org, connection: connection.name, cause });
    if (!hasCode(cause, 'provider_unavailable', 'vault_unavailable')) return notRevoked;
    return { isRevoked: false, pendingId: await keepForLater(needs, connection, tokens, used) };
  }
}

async function keepForLater(
  needs: DiscardNeeds,
  { org, name, endpointsId, config }: Connection,
  { accessToken, refreshToken }: Tokens,
  client: OAuthClient | undefined,
): Promise<string | null> {
  const now = needs.clock.now();
  const id = needs.random.id();
  try {
    await needs.revocations.create({
      id,
      connectionOrg: org,
      connection: name,
      endpointsId,
      createdAt: now,
      attempts: 0,
      nextAt: now,
      config,
      redirectUri: client?.redirectUri ?? redirectUriOf(needs, name),
      clientSecret: client?.clientSecret ?? null,
      signingKey: client?.signingKey ?? null,
      accessToken,
      refreshToken,
    });
    return id;
  } catch (cause) {
    needs.logger.error('revocation_lost', { org, connection: name, cause });
    return null;
  }
}

/**
 * Opens the tokens of a grant that was just removed, and revokes them. Tokens that cannot be opened are left, and so are
 * those that were given under other endpoints: these must not see them.
 */
export async function revokeGrant(
  needs: DiscardNeeds & Pick<Dependencies, 'grants'>,
  connection: Connection,
  stored: StoredGrant,
  options: Pick<RevocationOptions, 'isAsked'> = {},
): Promise<Revocation> {
  if (connection.config.endpoints.revocationUrl === null || options.isAsked === false) return notRevoked;
  if (stored.grant.endpointsId !== connection.endpointsId) return notRevoked;
  try {
    const tokens = await needs.grants.open(stored);
    return tokens === null ? notRevoked : await revokeTokens(needs, connection, tokens, options);
  } catch (cause) {
    needs.logger.warn('revocation_failed', { org: connection.org, connection: connection.name, cause });
    return notRevoked;
  }
}
