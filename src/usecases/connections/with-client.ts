import type { Connection } from '../../domain/connection.ts';
import { type BrokerError, hasCode } from '../../domain/errors.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { Dependencies } from '../dependencies.ts';
import { dropClientSecret } from './keep-client-secret.ts';
import { oauthClient } from './oauth-client.ts';

export type WithClientNeeds = Pick<Dependencies, 'connections' | 'vault' | 'providers' | 'policy' | 'logger'>;

export interface ClientCall<Result> {
  readonly result: Result;
  /** Who asked, with the secret that the provider accepted. */
  readonly client: OAuthClient;
  /** To be called once the result is safe: deletes the secret before, where the provider has accepted the new one. */
  readonly settleSecret: () => Promise<void>;
}

/**
 * Calls the provider as a connection's client. When it rejects the client, the secret may have been replaced since it
 * was read, here or in the vault: it is read again once, and used when it is another. If that does not help, the one
 * before it is tried once: an administrator may set a new secret before the provider knows it.
 *
 * A provider that rejects the client has not looked at what else the request carries, so that a refresh token or a code
 * may be submitted again. Throws what `call` throws, and `vault_unavailable`. `mayCallAgain` says whether there is time.
 */
export async function withClient<Result>(
  needs: WithClientNeeds,
  connection: Connection,
  call: (client: OAuthClient) => Promise<Result>,
  mayCallAgain: () => boolean = () => true,
): Promise<ClientCall<Result>> {
  const tried = new Set<string>();
  const attempt = async (as: Connection, options: { readonly fresh?: boolean } = {}) => {
    const client = await oauthClient(needs, as, options);
    // The vault may have taken its time.
    if (tried.size > 0 && !mayCallAgain()) return undefined;
    const secret = JSON.stringify([client.clientSecret?.reveal(), client.signingKey?.reveal()]);
    if (tried.has(secret)) return undefined;
    tried.add(secret);
    const settleSecret = () => endRotation(needs, as);
    return { result: await call(client), client, settleSecret };
  };
  let rejection: BrokerError;
  try {
    const called = await attempt(connection);
    if (called === undefined) throw new TypeError('nothing was tried yet');
    return called;
  } catch (error) {
    if (!isRejection(error) || !mayCallAgain()) throw error;
    rejection = error;
  }
  const latest = await latestOf(needs, connection);
  for (const [as, options] of alternatives(latest)) {
    if (!mayCallAgain()) break;
    try {
      const called = await attempt(as, options);
      if (called === undefined) continue;
      if (as !== latest) needs.logger.warn('previous_client_secret_used', { org: as.org, connection: as.name });
      return called;
    } catch (error) {
      if (!isRejection(error)) throw error;
    }
  }
  throw rejection;
}

type Alternative = readonly [Connection, { readonly fresh?: boolean }];

function alternatives(latest: Connection): readonly Alternative[] {
  const { clientSecretRef, previousClientSecretRef } = latest;
  if (clientSecretRef === null) return latest.signingKey === null ? [] : [[latest, {}]];
  const current: Alternative = [latest, { fresh: true }];
  if (previousClientSecretRef === null) return [current];
  return [current, [{ ...latest, clientSecretRef: previousClientSecretRef, previousClientSecretRef: null }, {}]];
}

/** The references may be older than a change of the secret. Other endpoints must not see what is being sent. */
async function latestOf({ connections }: WithClientNeeds, connection: Connection): Promise<Connection> {
  const stored = await connections.get(connection);
  if (stored === undefined || stored.connection.endpointsId !== connection.endpointsId) return connection;
  const { clientSecretRef, previousClientSecretRef, signingKey } = stored.connection;
  return { ...connection, clientSecretRef, previousClientSecretRef, signingKey };
}

/** Never throws: the next success tries again. */
async function endRotation(needs: WithClientNeeds, connection: Connection): Promise<void> {
  const { clientSecretRef, previousClientSecretRef } = connection;
  if (previousClientSecretRef === null) return;
  try {
    let isEnded = false;
    await needs.connections.update(connection, ({ connection: current }) => {
      isEnded =
        current.clientSecretRef === clientSecretRef && current.previousClientSecretRef === previousClientSecretRef;
      return isEnded ? { connection: { ...current, previousClientSecretRef: null } } : undefined;
    });
    if (isEnded) await dropClientSecret(needs, previousClientSecretRef);
  } catch (cause) {
    needs.logger.warn('client_secret_rotation_not_ended', { org: connection.org, connection: connection.name, cause });
  }
}

function isRejection(error: unknown): error is BrokerError {
  return hasCode(error, 'provider_rejected_client');
}
