import type { Connection } from '../../domain/connection.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Tokens } from '../../domain/grant.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { redirectUriOf } from './oauth-client.ts';
import { profileOf } from './profile-of.ts';
import { withClient } from './with-client.ts';

export type DiscardNeeds = Pick<
  Dependencies,
  | 'clock'
  | 'random'
  | 'connections'
  | 'vault'
  | 'providers'
  | 'policy'
  | 'authorizationServer'
  | 'revocations'
  | 'logger'
>;

export interface Revocation {
  /** The provider confirmed. */
  readonly isRevoked: boolean;
  /** The provider did not answer, or not to this client: under this id it will be asked again. */
  readonly pendingId: string | null;
}

export interface RevocationOptions {
  /**
   * The client that got the tokens, where it is at hand: the secret of a connection that was deleted meanwhile is gone
   * from the vault.
   */
  readonly client?: OAuthClient | undefined;
  /** With the secret before, for a provider that rejects `client` while its secret is being replaced. */
  readonly previousClient?: OAuthClient | undefined;
  /** Somebody asks for it: it is done also where it ends the tokens of other connections. False: nothing is revoked. */
  readonly isAsked?: boolean | undefined;
  /** The tokens were never kept: they are left alone where revoking them would end grants that are. */
  readonly isRefused?: boolean;
  /** The provider is not asked now, but later. */
  readonly isPutOff?: boolean;
}

export const notRevoked: Revocation = { isRevoked: false, pendingId: null };

/**
 * Revokes tokens at the provider where it can. A provider whose connections share a token is asked only on request.
 * One that gives no answer that makes sense, or that rejects the client, is asked again later. Never throws: the local
 * tokens are gone already, and that must stand.
 */
export async function revokeTokens(
  needs: DiscardNeeds,
  connection: Connection,
  tokens: Tokens,
  options: RevocationOptions = {},
): Promise<Revocation> {
  if (!isRevocationWanted(needs, connection, options)) return notRevoked;
  let used = options.client;
  const later = async () => ({ isRevoked: false, pendingId: await keepForLater(needs, connection, tokens, used) });
  if (options.isPutOff) return later();
  const revoke = (client: OAuthClient) => {
    used ??= client;
    return needs.authorizationServer.revoke(client, tokens);
  };
  try {
    return { isRevoked: await askedAs(needs, connection, options, revoke), pendingId: null };
  } catch (cause) {
    needs.logger.warn('revocation_failed', { org: connection.org, connection: connection.name, cause });
    return cause instanceof BrokerError ? later() : notRevoked;
  }
}

/** Whether tokens of a connection are revoked at all. */
export function isRevocationWanted(
  needs: DiscardNeeds,
  { config }: Connection,
  { isAsked, isRefused = false }: Pick<RevocationOptions, 'isAsked' | 'isRefused'>,
): boolean {
  const { revocation } = profileOf(needs, config);
  if (config.endpoints.revocationUrl === null || revocation === null) return false;
  return isAsked ?? !(revocation.isShared || (isRefused && revocation.reach === 'account'));
}

async function askedAs(
  needs: DiscardNeeds,
  connection: Connection,
  { client, previousClient }: RevocationOptions,
  revoke: (client: OAuthClient) => Promise<boolean>,
): Promise<boolean> {
  if (client === undefined) return (await withClient(needs, connection, revoke)).result;
  try {
    return await revoke(client);
  } catch (error) {
    if (previousClient === undefined || !hasCode(error, 'provider_rejected_client')) throw error;
    return revoke(previousClient);
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
  options: RevocationOptions = {},
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
