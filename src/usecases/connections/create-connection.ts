import type { Connection, ConnectionConfig } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import { emptyGrant, type Grant, type Tokens } from '../../domain/grant.ts';
import type { ConnectionName, OrgId } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { Dependencies } from '../dependencies.ts';
import type { GrantRefresher } from '../refresh/refresh-grant.ts';
import { assertValidConfig } from './connection-input.ts';
import { newEndpointsId } from './endpoints-id.ts';
import { connectionNotFound } from './find-connection.ts';
import { dropClientSecret, keepClientSecret } from './keep-client-secret.ts';

export interface NewConnection {
  readonly org: OrgId;
  readonly name: ConnectionName;
  readonly callerId: string;
  readonly config: ConnectionConfig;
  readonly clientSecret: Secret | null;
  readonly refreshToken: Secret | null;
  /** Get the first token at once, where no person is needed. */
  readonly connect: boolean;
}

export type CreateConnection = (request: NewConnection) => Promise<StoredConnection>;

type Needs = Pick<Dependencies, 'clock' | 'random' | 'digest' | 'connections' | 'vault' | 'urlPolicy' | 'logger'> & {
  readonly refresher: GrantRefresher;
};

/**
 * Creates a connection: the row first, then the secret, then the reference to it, so that a refused duplicate writes
 * nothing. Resolves to the connection. Throws `validation_failed` or `url_not_allowed` with every problem,
 * `connection_exists`, `vault_unavailable`. A provider that does not answer is no reason to fail.
 */
export function createCreateConnection(needs: Needs): CreateConnection {
  return async (request) => {
    const { org, name, config, clientSecret } = request;
    assertValidConfig(config, { org, hasClientSecret: clientSecret !== null, urlPolicy: needs.urlPolicy });
    assertRefreshTokenFits(request);
    const connection = newConnection(needs, request);
    const { grant, tokens } = firstGrant(needs, request, connection.endpointsId);
    await needs.connections.create(connection, grant, tokens);
    if (clientSecret !== null) await keepSecret(needs, connection, clientSecret);
    if (request.connect) await connectNow(needs, connection);
    const stored = await needs.connections.get({ org, name });
    if (stored === undefined) throw connectionNotFound(name);
    return stored;
  };
}

function assertRefreshTokenFits({ config, refreshToken, connect }: NewConnection): void {
  if (refreshToken !== null && config.flowType !== 'refresh_token') {
    const message = 'is for oauth_flow_type refresh_token; import tokens of other flows with POST .../tokens';
    throw new BrokerError('validation_failed', `refresh_token ${message}`, {
      details: [{ path: 'refresh_token', message }],
    });
  }
  if (connect && config.flowType === 'authorization_code') {
    const message = 'is for flows without a person';
    throw new BrokerError('validation_failed', `connect ${message}`, { details: [{ path: 'connect', message }] });
  }
}

function newConnection({ clock, random, digest }: Needs, { org, name, config, callerId }: NewConnection): Connection {
  const now = clock.now();
  return {
    org,
    name,
    config,
    clientSecretRef: null,
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
  { refreshToken }: NewConnection,
  endpointsId: string,
): { readonly grant: Grant; readonly tokens: Tokens | null } {
  const grant = emptyGrant(random.id(), endpointsId);
  if (refreshToken === null) return { grant, tokens: null };
  const tokens = { accessToken: null, tokenType: 'Bearer', refreshToken, account: null, metadata: {} };
  return { grant: { ...grant, hasRefreshToken: true, dueAt: clock.now() }, tokens };
}

async function keepSecret(needs: Needs, connection: Connection, clientSecret: Secret): Promise<void> {
  let reference: string | null = null;
  try {
    reference = await keepClientSecret(needs, connection, clientSecret);
    const clientSecretRef = reference;
    const stored = await needs.connections.update(connection, (current) =>
      isSame(current, connection) ? { connection: { ...current.connection, clientSecretRef } } : undefined,
    );
    if (stored === undefined || !isSame(stored, connection)) throw connectionNotFound(connection.name);
  } catch (error) {
    await takeBack(needs, connection, reference);
    throw error;
  }
}

/** Leaves nothing of a connection that could not be finished, and nothing alone of a newer one of the same name. */
async function takeBack(needs: Needs, connection: Connection, reference: string | null): Promise<void> {
  try {
    await needs.connections.remove(connection, (current) => isSame(current, connection));
  } catch (cause) {
    needs.logger.error('connection_without_secret_left', { org: connection.org, connection: connection.name, cause });
  }
  await dropClientSecret(needs, reference);
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
