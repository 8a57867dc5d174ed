import type { Caller } from '../../domain/caller.ts';
import { type ConnectionConfig, changesEndpoints, type Endpoints } from '../../domain/connection.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import { withoutTokens } from '../../domain/grant.ts';
import { withNewSecret } from '../../domain/grant-transitions.ts';
import type { Secret } from '../../domain/secret.ts';
import type { ConnectionChange, StoredConnection } from '../../ports/connection-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { changedEndpoints } from './complete-config.ts';
import { assertValidConfig } from './connection-input.ts';
import { newEndpointsId } from './endpoints-id.ts';
import { type ConnectionQuery, connectionNotFound, findConnectionToChange } from './find-connection.ts';
import { dropClientSecret, keepClientSecret } from './keep-client-secret.ts';

export interface ConnectionUpdate extends ConnectionQuery {
  readonly caller: Caller;
  /** The new configuration, made from the one in force. Runs again when somebody else wrote in between. */
  readonly change: (config: ConnectionConfig) => ConnectionConfig;
  /** Undefined: it stays. Null: it is deleted. */
  readonly clientSecret: Secret | null | undefined;
  /** The revision that the caller saw. Undefined: any. */
  readonly expectedRevision: string | undefined;
}

export type UpdateConnection = (request: ConnectionUpdate) => Promise<StoredConnection>;

type Needs = Pick<
  Dependencies,
  'clock' | 'random' | 'digest' | 'connections' | 'vault' | 'providers' | 'authorizationServer' | 'urlPolicy' | 'logger'
>;

/**
 * Changes a connection's configuration. When an endpoint, the client or the scopes change, the tokens are dropped:
 * they must not be sent elsewhere. Resolves to the connection. Throws `connection_not_found`, `connection_changed`
 * when somebody was faster than `expectedRevision`, and what `assertValidConfig` throws; nothing is written then.
 */
export function createUpdateConnection(needs: Needs): UpdateConnection {
  return async (request) => {
    const before = await findConnectionToChange(needs, { ...request, userId: null });
    const wanted = request.change(before.connection.config);
    const endpoints = await changedEndpoints(needs, before.connection.config, wanted);
    const change = completed(request, wanted, endpoints);
    const { connection } = changeOf(needs, { ...request, change }, before, undefined);
    const reference = request.clientSecret ? await keepClientSecret(needs, connection, request.clientSecret) : null;
    let replaced: string | null = null;
    try {
      const after = await needs.connections.update(before.connection, (current) => {
        replaced = current.connection.clientSecretRef;
        return changeOf(needs, { ...request, change }, current, reference);
      });
      if (after === undefined) throw connectionNotFound(request.name);
      if (request.clientSecret !== undefined) await dropClientSecret(needs, replaced);
      return after;
    } catch (error) {
      // Without an answer from storage the row may refer to the new secret by now.
      if (!hasCode(error, 'storage_unavailable')) await dropClientSecret(needs, reference);
      throw error;
    }
  };
}

/** The endpoints were worked out for these variables: others, that somebody wrote in between, would lead elsewhere. */
function completed({ change }: ConnectionUpdate, wanted: ConnectionConfig, endpoints: Endpoints) {
  return (current: ConnectionConfig): ConnectionConfig => {
    const changed = change(current);
    if (changed.provider === null) return changed;
    if (JSON.stringify(changed.variables) !== JSON.stringify(wanted.variables)) throw changedMeanwhile();
    return { ...changed, endpoints };
  };
}

function changeOf(
  needs: Needs,
  request: ConnectionUpdate,
  { connection, own }: StoredConnection,
  newReference: string | null | undefined,
): ConnectionChange {
  assertRevision(request, connection.revision);
  const config = request.change(connection.config);
  const hasClientSecret =
    request.clientSecret === undefined ? connection.clientSecretRef !== null : request.clientSecret !== null;
  assertValidConfig(config, { org: connection.org, hasClientSecret, urlPolicy: needs.urlPolicy });
  assertSecretGivenAgain(request, connection.config, config, connection.clientSecretRef !== null);
  const isMoved = changesEndpoints(connection.config, config);
  const endpointsId = isMoved ? newEndpointsId(needs, config) : connection.endpointsId;
  const changed = {
    ...connection,
    config,
    endpointsId,
    clientSecretRef: request.clientSecret === undefined ? connection.clientSecretRef : (newReference ?? null),
    revision: needs.random.id(),
    updatedAt: needs.clock.now(),
  };
  if (isMoved) {
    return { connection: changed, grant: withoutTokens(own.grant, needs.random.id(), endpointsId), tokens: null };
  }
  return request.clientSecret ? { connection: changed, grant: withNewSecret(own.grant) } : { connection: changed };
}

function assertRevision({ expectedRevision }: ConnectionUpdate, revision: string): void {
  if (expectedRevision === undefined || expectedRevision === revision) return;
  throw changedMeanwhile();
}

function changedMeanwhile(): BrokerError {
  return new BrokerError(
    'connection_changed',
    'Somebody else has changed the connection. Read it again, then repeat the change.',
  );
}

/** Else whoever may change a URL could have the secret sent to themselves. */
function assertSecretGivenAgain(
  { clientSecret }: ConnectionUpdate,
  before: ConnectionConfig,
  after: ConnectionConfig,
  hadSecret: boolean,
): void {
  if (!hadSecret || clientSecret !== undefined) return;
  const receivesSecret = ({ endpoints }: ConnectionConfig) => [endpoints.tokenUrl, endpoints.revocationUrl];
  const isSame = receivesSecret(after).every((url) => url === null || receivesSecret(before).includes(url));
  if (isSame) return;
  const message = 'must be given again when token_url or revocation_url changes';
  throw new BrokerError('validation_failed', `client_secret ${message}`, {
    details: [{ path: 'client_secret', message }],
  });
}
