import type { Caller } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { UserId } from '../../domain/ids.ts';
import { connectionNotReady } from '../credentials/connection-not-ready.ts';
import type { Dependencies } from '../dependencies.ts';
import { type ConnectionQuery, findConnectionToChange, readGrant } from './find-connection.ts';
import { type WithClientNeeds, withClient } from './with-client.ts';

export type Introspect = (
  request: ConnectionQuery & {
    readonly caller: Caller;
    readonly userId: UserId | null;
    readonly token: 'access_token' | 'refresh_token';
  },
) => Promise<Readonly<Record<string, unknown>>>;

type Needs = WithClientNeeds & Pick<Dependencies, 'clock' | 'grants' | 'authorizationServer'>;

/**
 * Asks the provider what a saved token is worth, as it is: it is not refreshed. Resolves to the provider's answer
 * without whatever in it holds the token. Throws `connection_not_found`, `connection_not_ready` when there is no such
 * token, `validation_failed` for a connection without `introspection_url`, and what the provider's side throws.
 */
export function createIntrospect(needs: Needs): Introspect {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    if (found.connection.config.endpoints.introspectionUrl === null) throw noEndpoint();
    const stored = await readGrant(needs, found, request.org, request.userId);
    const tokens = stored === undefined ? null : await needs.grants.open(stored);
    const token = request.token === 'access_token' ? tokens?.accessToken : tokens?.refreshToken;
    if (!token) throw connectionNotReady(found, stored, request, needs.clock.now());
    const { result } = await withClient(needs, found.connection, (client) =>
      needs.authorizationServer.introspect(client, token, request.token),
    );
    if (result === null) throw noEndpoint();
    const secrets = [tokens?.accessToken, tokens?.refreshToken].flatMap((secret) =>
      secret ? [JSON.stringify(secret.reveal()).slice(1, -1)] : [],
    );
    const isClean = (value: unknown) => secrets.every((secret) => !JSON.stringify(value ?? null).includes(secret));
    return Object.fromEntries(Object.entries(result).filter(([, value]) => isClean(value)));
  };
}

function noEndpoint(): BrokerError {
  const message = 'is needed: the connection has none';
  return new BrokerError('validation_failed', `introspection_url ${message}`, {
    details: [{ path: 'introspection_url', message }],
  });
}
