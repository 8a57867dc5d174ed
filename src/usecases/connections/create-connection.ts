import type { Connection, ConnectionConfig } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import { emptyGrant, type Grant, type Tokens } from '../../domain/grant.ts';
import type { Secret } from '../../domain/secret.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GrantRefresher } from '../refresh/refresh-grant.ts';
import { withApiKey } from './api-key-grant.ts';
import { newEndpointsId } from './endpoints-id.ts';
import { connectionNotFound } from './find-connection.ts';
import { dropClientSecret, keepClientSecret } from './keep-client-secret.ts';
import { assertCreatable, type NewConnection } from './plan-connection.ts';
import { changeOfSigningKey, keepSigningKey, type SigningKeyChange } from './signing-key.ts';

export type CreateConnection = (request: NewConnection) => Promise<StoredConnection>;

type Needs = Pick<
  Dependencies,
  | 'clock'
  | 'random'
  | 'digest'
  | 'connections'
  | 'vault'
  | 'signingKeys'
  | 'providers'
  | 'authorizationServer'
  | 'urlPolicy'
  | 'logger'
> & {
  readonly refresher: GrantRefresher;
};

/**
 * Creates a connection: the row first, then the secret, then the reference to it, so that a refused duplicate writes
 * nothing. Resolves to the connection. Throws `validation_failed` or `url_not_allowed` with every problem,
 * `connection_exists`, `vault_unavailable`. A provider that does not answer is no reason to fail.
 */
export function createCreateConnection(needs: Needs): CreateConnection {
  return async (request) => {
    const { org, name } = request;
    const config = await assertCreatable(needs, request);
    const signingKey = await newSigningKey(needs, request, config);
    const connection = newConnection(needs, request, config);
    const { grant, tokens } = firstGrant(needs, request, connection.endpointsId);
    await needs.connections.create(connection, grant, tokens);
    await keepSecrets(needs, connection, request, signingKey);
    if (request.connect) await connectNow(needs, connection);
    const stored = await needs.connections.get({ org, name });
    if (stored === undefined) throw connectionNotFound(name);
    return stored;
  };
}

/** One that an import leaves out is set later. */
function newSigningKey(
  needs: Needs,
  { signingKey, mayLackSecrets = false }: NewConnection,
  config: ConnectionConfig,
): Promise<SigningKeyChange> {
  const isLeftOut = mayLackSecrets && config.flowType === 'jwt_bearer' && !signingKey.privateKey;
  return isLeftOut ? Promise.resolve({ kind: 'kept' }) : changeOfSigningKey(needs, config, signingKey, null);
}

function newConnection(
  { clock, random, digest }: Needs,
  { org, name, callerId }: NewConnection,
  config: ConnectionConfig,
): Connection {
  const now = clock.now();
  return {
    org,
    name,
    config,
    clientSecretRef: null,
    signingKey: null,
    previousClientSecretRef: null,
    fallbackApiKeyRef: null,
    endpointsId: newEndpointsId({ random, digest }, config),
    revision: random.id(),
    createdAt: now,
    createdBy: callerId,
    updatedAt: now,
    lastTestAt: null,
  };
}

function firstGrant(
  { clock, random }: Needs,
  { refreshToken, apiKey }: NewConnection,
  endpointsId: string,
): { readonly grant: Grant; readonly tokens: Tokens | null } {
  const grant = emptyGrant(random.id(), endpointsId);
  if (apiKey !== null) return withApiKey(grant, apiKey, clock.now());
  if (refreshToken === null) return { grant, tokens: null };
  const tokens = { accessToken: null, tokenType: 'Bearer', refreshToken, account: null, metadata: {} };
  return { grant: { ...grant, hasRefreshToken: true, dueAt: clock.now() }, tokens };
}

async function keepSecrets(
  needs: Needs,
  connection: Connection,
  { clientSecret, fallbackApiKey }: NewConnection,
  key: SigningKeyChange,
): Promise<void> {
  if (clientSecret === null && fallbackApiKey === null && key.kind !== 'new') return;
  const kept: string[] = [];
  const keepOne = async (secret: Secret) => {
    const reference = await keepClientSecret(needs, connection, secret);
    kept.push(reference);
    return reference;
  };
  const keep = async (secret: Secret | null) => (secret === null ? null : keepOne(secret));
  try {
    const references = {
      clientSecretRef: await keep(clientSecret),
      fallbackApiKeyRef: await keep(fallbackApiKey),
      signingKey: await keepSigningKey(key, keepOne),
    };
    const stored = await needs.connections.update(connection, (current) =>
      isSame(current, connection) ? { connection: { ...current.connection, ...references } } : undefined,
    );
    if (stored === undefined || !isSame(stored, connection)) throw connectionNotFound(connection.name);
  } catch (error) {
    await takeBack(needs, connection, kept);
    throw error;
  }
}

/** Leaves nothing of a connection that could not be finished, and nothing alone of a newer one of the same name. */
async function takeBack(needs: Needs, connection: Connection, kept: readonly string[]): Promise<void> {
  try {
    await needs.connections.remove(connection, (current) => isSame(current, connection));
  } catch (cause) {
    needs.logger.error('connection_without_secret_left', { org: connection.org, connection: connection.name, cause });
  }
  for (const reference of kept) await dropClientSecret(needs, reference);
}

function isSame(stored: StoredConnection, { endpointsId }: Connection): boolean {
  return stored.connection.endpointsId === endpointsId;
}

/** Creating never fails because of the provider: what went wrong stands in the connection. */
async function connectNow(needs: Needs, { org, name }: Connection): Promise<void> {
  const stored = await needs.connections.get({ org, name });
  if (stored === undefined) throw connectionNotFound(name);
  const request = { connection: stored.connection, stored: stored.own, waitMs: 0 };
  try {
    await needs.refresher.refresh({ ...request, isFresh: ({ grant }) => grant.hasTokens });
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    needs.logger.warn('first_connect_failed', { org, connection: name, code: error.code, detail: error.detail });
  }
}
