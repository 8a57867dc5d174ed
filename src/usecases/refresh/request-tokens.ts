import { mintsTokens } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Tokens } from '../../domain/grant.ts';
import { mergeTokens, type TokenSet } from '../../domain/token-set.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import { type WithClientNeeds, withClient } from '../connections/with-client.ts';
import type { Dependencies } from '../dependencies.ts';
import type { ActingConnection } from './acting-connection.ts';
import { refreshInProgress } from './refresh-in-progress.ts';

/** A call needs this long before the lease ends: the 8 s that it may take, and its commit. */
const callNeedsMs = 12_000;

export interface RequestedTokens {
  readonly issued: TokenSet;
  /** Who asked, with the secret that the provider accepted. */
  readonly client: OAuthClient;
  /** To be called once the tokens are kept. */
  readonly settleSecret: () => Promise<void>;
}

export interface DrainNeeds {
  /** This process is stopping, and would not wait for an answer. */
  readonly isTooLateToSend: () => boolean;
}

type Needs = WithClientNeeds & Pick<Dependencies, 'authorizationServer' | 'clock'> & DrainNeeds;

/**
 * Gets a new token set from the token endpoint, by refresh token or by what the client alone has. A client secret that
 * is being rotated is tried as `withClient` has it. Throws `refresh_in_progress`, with nothing sent, when the lease or
 * this process may end before the answer is kept.
 */
export async function requestTokens(
  needs: Needs,
  connection: ActingConnection,
  before: Tokens | null,
  leaseEndsAt: number,
): Promise<RequestedTokens> {
  const isTooLate = () => leaseEndsAt - needs.clock.now() < callNeedsMs;
  // The process may have slept since the claim: another may hold the lease by now.
  const request = (client: OAuthClient) => {
    if (isTooLate()) throw refreshInProgress('too little of the lease was left');
    if (needs.isTooLateToSend()) throw refreshInProgress('this process is stopping');
    return call(needs, client, before);
  };
  const { result, client, settleSecret } = await withClient(needs, connection, request, () => !isTooLate());
  const issued = connection.isFallback === true ? inPersonsPlace(connection, before, result) : result;
  return { issued, client, settleSecret };
}

/** Whose account it was stays known, so that another is noticed when somebody authorizes again. */
function inPersonsPlace({ config }: ActingConnection, before: Tokens | null, issued: TokenSet): TokenSet {
  const tokens = { ...issued.tokens, account: before?.account ?? null };
  return { ...issued, tokens, scopes: issued.scopes ?? config.scopes ?? '', isFallback: true };
}

async function call({ authorizationServer }: Needs, client: OAuthClient, before: Tokens | null): Promise<TokenSet> {
  if (mintsTokens(client.config.flowType)) return authorizationServer.mint(client);
  const refreshToken = before?.refreshToken;
  if (!refreshToken) throw new BrokerError('connection_not_ready', 'There is no refresh token.');
  return mergeTokens(before, await authorizationServer.refresh(client, refreshToken));
}
