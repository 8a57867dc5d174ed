import type { Caller } from '../../domain/caller.ts';
import { type Connection, needsPerson, scopeList } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import { emptyGrant } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import { type Transaction, transactionLifeMs } from '../../domain/transaction.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import { type ConnectionQuery, findConnectionToChange, grantKeyOf } from '../connections/find-connection.ts';
import { oauthClient } from '../connections/oauth-client.ts';
import { withClient } from '../connections/with-client.ts';
import { stateHashOf, stateOf } from './link-secrets.ts';
import type { AuthorizationNeeds } from './needs.ts';
import type { DeviceStep } from './poll-device.ts';
import { providerPage } from './provider-page.ts';

export interface AuthorizationStart extends ConnectionQuery {
  readonly caller: Caller;
  readonly userId: UserId | null;
  readonly returnUrl: string | null;
  readonly loginHint: string | null;
  /** A part of the connection's scopes. Null: all of them. */
  readonly scopes: string | null;
  readonly prompt: string | null;
  readonly allowAccountChange: boolean;
}

export interface StartedPage {
  readonly kind: 'page';
  /** Null where the deployment insists on the connect page. */
  readonly authorizationUrl: string | null;
  readonly connectUrl: string;
  readonly state: Secret | null;
  readonly expiresAt: number;
}

/** A device authorization (RFC 8628): a person enters the code, and the queue asks whether they have. */
export interface StartedDevice {
  readonly kind: 'device';
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | null;
  readonly expiresAt: number;
  readonly intervalSeconds: number;
  /** What goes on the queue. */
  readonly next: DeviceStep;
}

export type StartedAuthorization = StartedPage | StartedDevice;

export type StartAuthorization = (request: AuthorizationStart) => Promise<StartedAuthorization>;

const connectTokenBytes = 32;
/** 64 characters of base64url: within the 43 to 128 of RFC 7636 section 4.1. */
const codeVerifierBytes = 48;
const nonceBytes = 16;

/**
 * Begins an authorization: keeps a transaction of ten minutes and gives the pages at which a person goes on. A newer
 * one replaces an older. Throws `connection_not_found`, `authorization_not_applicable` for flows without a person,
 * `return_url_not_allowed`, `validation_failed` for scopes that the connection does not have. Where the provider is
 * asked first (devices, pushed requests) a `ProviderErrorCode` too; nothing is pending then.
 */
export function createStartAuthorization(needs: AuthorizationNeeds): StartAuthorization {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    assertApplicable(found.connection, request);
    assertReturnUrl(request.returnUrl, needs.policy.allowedReturnOrigins);
    if (found.connection.config.flowType === 'device_code') return startDevice(needs, found, request);
    const connectToken = new Secret(needs.random.token(connectTokenBytes));
    const state = stateOf(needs.digest, connectToken);
    const transaction = await newTransaction(needs, found, request, stateHashOf(needs.digest, state));
    const authorizationUrl = needs.policy.requireConnectPage
      ? null
      : await providerPage(needs, found.connection, transaction, state);
    await needs.transactions.create(transaction);
    await setPending(needs, found, request, transaction);
    const { requireConnectPage, publicBaseUrl } = needs.policy;
    return {
      kind: 'page',
      authorizationUrl,
      connectUrl: `${publicBaseUrl}/api/connect/${connectToken.reveal()}`,
      state: requireConnectPage ? null : state,
      expiresAt: transaction.expiresAt,
    };
  };
}

async function startDevice(
  needs: AuthorizationNeeds,
  found: StoredConnection,
  request: AuthorizationStart,
): Promise<StartedDevice> {
  const { connection } = found;
  const scopes = request.scopes ?? connection.config.scopes;
  const begin = (client: OAuthClient) => needs.authorizationServer.startDevice(client, scopes);
  const { result: device, client, settleSecret } = await withClient(needs, connection, begin);
  await settleSecret();
  // Nobody ever learns the state: only the queue names the transaction, by its hash.
  const stateHash = stateHashOf(needs.digest, new Secret(needs.random.token(connectTokenBytes)));
  const common = commonTransaction(needs, connection, request, stateHash);
  const expiresAt = common.createdAt + device.lifeSeconds * 1000;
  const { redirectUri } = client;
  const transaction = { ...common, redirectUri, expiresAt, authorizationUrl: '', deviceCode: device.deviceCode };
  await needs.transactions.create(transaction);
  await setPending(needs, found, request, transaction);
  const { userCode, verificationUri, verificationUriComplete, intervalSeconds } = device;
  const notBefore = needs.clock.now() + intervalSeconds * 1000;
  const next = { stateHash, step: 0, notBefore, intervalSeconds };
  return { kind: 'device', userCode, verificationUri, verificationUriComplete, expiresAt, intervalSeconds, next };
}

async function newTransaction(
  needs: AuthorizationNeeds,
  { connection }: StoredConnection,
  request: AuthorizationStart,
  stateHash: string,
): Promise<Transaction> {
  const client = await oauthClient(needs, connection);
  const common = commonTransaction(needs, connection, request, stateHash);
  const { redirectUri } = client;
  const { codeVerifier, nonce, scopes } = common;
  const { loginHint, prompt } = request;
  const wanted = { redirectUri, codeVerifier, nonce, scopes, loginHint, prompt };
  const authorizationUrl = await needs.authorizationServer.authorizationUrl(client, wanted);
  return { ...common, redirectUri, authorizationUrl, deviceCode: null };
}

function commonTransaction(
  { clock, random, policy }: AuthorizationNeeds,
  connection: Connection,
  request: AuthorizationStart,
  stateHash: string,
): Omit<Transaction, 'redirectUri' | 'authorizationUrl' | 'deviceCode'> {
  const now = clock.now();
  return {
    stateHash,
    connectionOrg: connection.org,
    connection: connection.name,
    org: request.org,
    userId: request.userId,
    callerId: request.caller.id,
    callerName: request.caller.name,
    endpointsId: connection.endpointsId,
    scopes: request.scopes ?? connection.config.scopes,
    returnUrl: request.returnUrl,
    allowAccountChange: request.allowAccountChange,
    createdAt: now,
    expiresAt: now + transactionLifeMs,
    isBrowserBound: policy.requireConnectPage,
    codeVerifier: new Secret(random.token(codeVerifierBytes)),
    nonce: new Secret(random.token(nonceBytes)),
  };
}

/** The transaction that was pending before is forgotten: one at a time for each grant. */
async function setPending(
  needs: AuthorizationNeeds,
  found: StoredConnection,
  { org, userId }: AuthorizationStart,
  { stateHash, createdAt, expiresAt, endpointsId }: Transaction,
): Promise<void> {
  let replaced: string | undefined;
  const pending = { stateHash, startedAt: createdAt, expiresAt, testingUntil: null };
  const generation = needs.random.id();
  await needs.grants.update(grantKeyOf(found, org, userId), (current) => {
    replaced = current?.grant.pending?.stateHash;
    const isUsable = current !== undefined && (userId === null || current.grant.endpointsId === endpointsId);
    if (isUsable) return { grant: { ...current.grant, pending } };
    const fresh = { ...emptyGrant(generation, endpointsId), seq: current?.grant.seq ?? 0 };
    return { grant: { ...fresh, pending }, tokens: null };
  });
  if (replaced !== undefined) await needs.transactions.consume(replaced);
}

function assertApplicable({ config }: Connection, { scopes }: AuthorizationStart): void {
  if (!needsPerson(config.flowType)) {
    throw new BrokerError(
      'authorization_not_applicable',
      `A connection of type ${config.flowType} needs no person: it gets its token by itself.`,
    );
  }
  const known = scopeList(config.scopes);
  const unknown = scopeList(scopes).filter((scope) => !known.includes(scope));
  if (unknown.length === 0) return;
  const message = `may name only scopes of the connection, not ${unknown.join(' ')}`;
  throw new BrokerError('validation_failed', `scopes ${message}`, { details: [{ path: 'scopes', message }] });
}

function assertReturnUrl(returnUrl: string | null, allowedOrigins: readonly string[]): void {
  if (returnUrl === null) return;
  const url = URL.canParse(returnUrl) ? new URL(returnUrl) : undefined;
  const isAllowed =
    url !== undefined &&
    returnUrl.startsWith(`${url.protocol}//`) &&
    url.username === '' &&
    url.password === '' &&
    !returnUrl.includes('#') &&
    !/[\\\s\p{Cc}]/u.test(returnUrl) &&
    allowedOrigins.includes(url.origin);
  if (isAllowed) return;
  const message = 'must be an address on one of the ALLOWED_RETURN_ORIGINS, without a fragment';
  throw new BrokerError('return_url_not_allowed', `return_url ${message}`, {
    details: [{ path: 'return_url', message }],
  });
}
