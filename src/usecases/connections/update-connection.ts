import type { Caller } from '../../domain/caller.ts';
import {
  areSameVariables,
  type Connection,
  type ConnectionConfig,
  type ConnectionSigningKey,
  changesEndpoints,
  type Endpoints,
  secretRefs,
  signsAssertions,
} from '../../domain/connection.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import { withoutTokens } from '../../domain/grant.ts';
import { withNewSecret } from '../../domain/grant-transitions.ts';
import type { Secret } from '../../domain/secret.ts';
import type { ConnectionChange, StoredConnection } from '../../ports/connection-store.ts';
import type { Dependencies } from '../dependencies.ts';
import { assertApiKeyFits, withApiKey } from './api-key-grant.ts';
import { changedEndpoints } from './complete-config.ts';
import { assertValidConfig } from './connection-input.ts';
import { newEndpointsId } from './endpoints-id.ts';
import { type ConnectionQuery, connectionNotFound, findConnectionToChange } from './find-connection.ts';
import { dropClientSecret, keepClientSecret } from './keep-client-secret.ts';
import { changeOfSigningKey, keepSigningKey, type SigningKeyChange, type SigningKeyInput } from './signing-key.ts';

export interface ConnectionUpdate extends ConnectionQuery {
  readonly caller: Caller;
  /** The new configuration, made from the one in force. Runs again when somebody else wrote in between. */
  readonly change: (config: ConnectionConfig) => ConnectionConfig;
  /** Undefined: it stays. Null: it is deleted. */
  readonly clientSecret: Secret | null | undefined;
  readonly signingKey: SigningKeyInput;
  /** Of the flow `api_key`. Null: it stays. */
  readonly apiKey: Secret | null;
  /** The same. */
  readonly fallbackApiKey: Secret | null | undefined;
  /** The revision that the caller saw. Undefined: any. */
  readonly expectedRevision: string | undefined;
}

export type UpdateConnection = (request: ConnectionUpdate) => Promise<StoredConnection>;

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
    const { connection } = changeOf(needs, { ...request, change }, before, {});
    const { signingKey: keyBefore } = before.connection;
    const key = await changeOfSigningKey(needs, connection.config, request.signingKey, keyBefore);
    const kept = await keepNewSecrets(needs, connection, request, key);
    let replaced: readonly string[] = [];
    try {
      const after = await needs.connections.update(before.connection, (current) => {
        const changed = changeOf(needs, { ...request, change }, current, kept);
        const inUse = secretRefs(changed.connection);
        replaced = secretRefs(current.connection).filter((reference) => !inUse.includes(reference));
        return changed;
      });
      if (after === undefined) throw connectionNotFound(request.name);
      for (const reference of replaced) await dropClientSecret(needs, reference);
      return after;
    } catch (error) {
      // Without an answer from storage the row may refer to the new secrets by now.
      if (!hasCode(error, 'storage_unavailable')) await dropAll(needs, kept);
      throw error;
    }
  };
}

/** The vault's names of the secrets that a change gives. Left out: it gives none. */
interface NewReferences {
  readonly clientSecretRef?: string;
  readonly fallbackApiKeyRef?: string;
  /** Null: there is none any more. */
  readonly signingKey?: ConnectionSigningKey | null;
}

async function keepNewSecrets(
  needs: Needs,
  connection: Connection,
  { clientSecret, fallbackApiKey }: ConnectionUpdate,
  key: SigningKeyChange,
): Promise<NewReferences> {
  const kept: { -readonly [Name in keyof NewReferences]: NewReferences[Name] } = {};
  try {
    if (clientSecret) kept.clientSecretRef = await keepClientSecret(needs, connection, clientSecret);
    if (fallbackApiKey) kept.fallbackApiKeyRef = await keepClientSecret(needs, connection, fallbackApiKey);
    const keep = (secret: Secret) => keepClientSecret(needs, connection, secret);
    if (key.kind !== 'kept') kept.signingKey = await keepSigningKey(key, keep);
    return kept;
  } catch (error) {
    await dropAll(needs, kept);
    throw error;
  }
}

async function dropAll(needs: Needs, kept: NewReferences): Promise<void> {
  const references = [kept.clientSecretRef, kept.fallbackApiKeyRef, kept.signingKey?.ref];
  for (const reference of references) await dropClientSecret(needs, reference ?? null);
}

/** The endpoints were worked out for these variables: others, that somebody wrote in between, would lead elsewhere. */
function completed({ change }: ConnectionUpdate, wanted: ConnectionConfig, endpoints: Endpoints) {
  return (current: ConnectionConfig): ConnectionConfig => {
    const changed = change(current);
    if (changed.provider === null) return changed;
    if (!areSameVariables(changed.variables, wanted.variables)) throw changedMeanwhile();
    return { ...changed, endpoints };
  };
}

function changeOf(
  needs: Needs,
  request: ConnectionUpdate,
  { connection, own }: StoredConnection,
  kept: NewReferences,
): ConnectionChange {
  assertRevision(request, connection.revision);
  const config = request.change(connection.config);
  const hasClientSecret =
    request.clientSecret === undefined ? connection.clientSecretRef !== null : request.clientSecret !== null;
  assertValidConfig(config, { org: connection.org, hasClientSecret, urlPolicy: needs.urlPolicy });
  assertSecretGivenAgain(request, connection.config, config, connection.clientSecretRef !== null);
  assertKeyGivenAgain(request, connection, config);
  const isMoved = changesEndpoints(connection.config, config);
  const endpointsId = isMoved ? newEndpointsId(needs, config) : connection.endpointsId;
  const changed = {
    ...connection,
    config,
    endpointsId,
    clientSecretRef: changedRef(request.clientSecret, connection.clientSecretRef, kept.clientSecretRef),
    previousClientSecretRef: previousSecret(request, connection, config),
    fallbackApiKeyRef: changedRef(request.fallbackApiKey, connection.fallbackApiKeyRef, kept.fallbackApiKeyRef),
    signingKey: kept.signingKey === undefined ? connection.signingKey : kept.signingKey,
    revision: needs.random.id(),
    updatedAt: needs.clock.now(),
  };
  assertApiKeyFits(config, request.apiKey, {
    isNeeded: isMoved && own.grant.hasTokens,
    why: 'must be given again when an address or a parameter changes',
  });
  if (request.apiKey !== null) {
    const fresh = withoutTokens(own.grant, needs.random.id(), endpointsId);
    return { connection: changed, ...withApiKey(fresh, request.apiKey, needs.clock.now()) };
  }
  const losesFallback = own.grant.isFallback && !config.fallbackClientCredentials;
  if (isMoved || losesFallback) {
    return { connection: changed, grant: withoutTokens(own.grant, needs.random.id(), endpointsId), tokens: null };
  }
  return request.clientSecret || kept.signingKey
    ? { connection: changed, grant: withNewSecret(own.grant) }
    : { connection: changed };
}

function changedRef(given: Secret | null | undefined, before: string | null, kept: string | undefined): string | null {
  return given === undefined ? before : (kept ?? null);
}

/**
 * The secret to try when the provider rejects the one in force: the last that is known to have worked. It never goes
 * to another address or for another client.
 */
function previousSecret(
  { clientSecret }: ConnectionUpdate,
  { previousClientSecretRef, clientSecretRef, config: before }: Connection,
  after: ConnectionConfig,
): string | null {
  const isElsewhere = before.clientId !== after.clientId || !receivesOnly(after, before);
  if (clientSecret === null || isElsewhere) return null;
  return clientSecret === undefined ? previousClientSecretRef : (previousClientSecretRef ?? clientSecretRef);
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
  if (!hadSecret || clientSecret !== undefined || receivesOnly(after, before)) return;
  const message = 'must be given again when token_url, revocation_url or another address that receives it changes';
  throw new BrokerError('validation_failed', `client_secret ${message}`, {
    details: [{ path: 'client_secret', message }],
  });
}

/** The same of an assertion that the connection signs, which may be good at the issuer for a while. */
function assertKeyGivenAgain(
  { signingKey: { privateKey } }: ConnectionUpdate,
  { config: before, signingKey }: Connection,
  after: ConnectionConfig,
): void {
  const isKept = signingKey !== null && privateKey === undefined && signsAssertions(after);
  if (!isKept || receivesOnly(after, before)) return;
  const message = 'must be given again when an address that receives assertions changes; null makes a new one';
  throw new BrokerError('validation_failed', `private_key ${message}`, { details: [{ path: 'private_key', message }] });
}

/** Whether the client secret goes nowhere where it did not go before. */
function receivesOnly(after: ConnectionConfig, before: ConnectionConfig): boolean {
  return receivers(after).every((url) => url === null || receivers(before).includes(url));
}

function receivers({ endpoints: e }: ConnectionConfig): readonly (string | null)[] {
  return [
    e.tokenUrl,
    e.refreshUrl,
    e.revocationUrl,
    e.introspectionUrl,
    e.deviceAuthorizationUrl,
    e.pushedAuthorizationUrl,
  ];
}
