import type { Connection } from '../../domain/connection.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import { type WithClientNeeds, withClient } from '../connections/with-client.ts';
import type { Dependencies } from '../dependencies.ts';

export type ProviderPageNeeds = WithClientNeeds & Pick<Dependencies, 'authorizationServer'>;

/**
 * Where a person goes on: the provider's page of a transaction, with the state that only its holder knows. Where the
 * provider takes pushed requests (RFC 9126) all of it is pushed, and the address holds a reference that is good for
 * about a minute: it is made when somebody is about to go there. Throws a `ProviderErrorCode` when it is not taken.
 */
export async function providerPage(
  needs: ProviderPageNeeds,
  connection: Connection,
  { authorizationUrl }: Transaction,
  state: Secret,
): Promise<string> {
  if (connection.config.endpoints.pushedAuthorizationUrl === null) return withState(authorizationUrl, state);
  const push = (client: OAuthClient) => needs.authorizationServer.pushAuthorization(client, authorizationUrl, state);
  const { result, settleSecret } = await withClient(needs, connection, push);
  await settleSecret();
  return result;
}

function withState(authorizationUrl: string, state: Secret): string {
  const url = new URL(authorizationUrl);
  url.searchParams.set('state', state.reveal());
  return url.href;
}
