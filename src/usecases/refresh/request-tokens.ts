import { type Connection, mintsTokens } from '../../domain/connection.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Tokens } from '../../domain/grant.ts';
import { mergeTokens, type TokenSet } from '../../domain/token-set.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import { oauthClient } from '../connections/oauth-client.ts';
import type { Dependencies } from '../dependencies.ts';
import { refreshInProgress } from './refresh-in-progress.ts';

/** A call needs this long before the lease ends: the 8 s that it may take, and its commit. */
const callNeedsMs = 12_000;

export interface RequestedTokens {
  readonly issued: TokenSet;
  /** Who asked, with the secret that the provider accepted. */
  readonly client: OAuthClient;
}

type Needs = Pick<Dependencies, 'authorizationServer' | 'vault' | 'clock'>;

/**
 * Gets a new token set from the token endpoint, by refresh token or by the client's own credentials. When the provider
 * rejects the client, the secret may have been rotated by somebody else: it is read again once, and used when it is
 * another. The provider has not touched the refresh token then, so it may be submitted again.
 */
export async function requestTokens(
  needs: Needs,
  connection: Connection,
  before: Tokens | null,
  leaseEndsAt: number,
): Promise<RequestedTokens> {
  const client = await oauthClient(needs, connection);
  const isTooLate = () => leaseEndsAt - needs.clock.now() < callNeedsMs;
  // The process may have slept since the claim: another may hold the lease by now.
  if (isTooLate()) throw refreshInProgress('too little of the lease was left');
  try {
    return { issued: await call(needs, client, before), client };
  } catch (error) {
    if (!hasCode(error, 'provider_rejected_client') || isTooLate()) throw error;
    const renewed = await oauthClient(needs, connection, { fresh: true });
    // The vault may have taken its time.
    if (isTooLate()) throw error;
    if (renewed.clientSecret?.reveal() === client.clientSecret?.reveal()) throw error;
    return { issued: await call(needs, renewed, before), client: renewed };
  }
}

async function call({ authorizationServer }: Needs, client: OAuthClient, before: Tokens | null): Promise<TokenSet> {
  if (mintsTokens(client.config.flowType)) return authorizationServer.clientCredentials(client);
  const refreshToken = before?.refreshToken;
  if (!refreshToken) throw new BrokerError('connection_not_ready', 'There is no refresh token.');
  return mergeTokens(before, await authorizationServer.refresh(client, refreshToken));
}
