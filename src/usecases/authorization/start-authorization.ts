import type { Caller } from '../../domain/caller.ts';
import { type Connection, needsPerson, scopeList } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import { emptyGrant } from '../../domain/grant.ts';
import type { UserId } from '../../domain/ids.ts';
import { Secret } from '../../domain/secret.ts';
import { type Transaction, transactionLifeMs } from '../../domain/transaction.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import { type ConnectionQuery, findConnectionToChange, grantKeyOf } from '../connections/find-connection.ts';
import { oauthClient } from '../connections/oauth-client.ts';
import { stateHashOf, stateOf } from './link-secrets.ts';
import type { AuthorizationNeeds } from './needs.ts';

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

export interface StartedAuthorization {
  /** Null where the deployment insists on the connect page. */
  readonly authorizationUrl: string | null;
  readonly connectUrl: string;
  readonly state: Secret | null;
  readonly expiresAt: number;
}

export type StartAuthorization = (request: AuthorizationStart) => Promise<StartedAuthorization>;

const connectTokenBytes = 32;
/** 64 characters of base64url: within the 43 to 128 of RFC 7636 section 4.1. */
const codeVerifierBytes = 48;
const nonceBytes = 16;

/**
 * Begins an authorization: keeps a transaction of ten minutes and gives the pages at which a person goes on. A newer
 * one replaces an older. Throws `connection_not_found`, `authorization_not_applicable` for flows without a person,
 * `return_url_not_allowed`, `validation_failed` for scopes that the connection does not have.
 */
export function createStartAuthorization(needs: AuthorizationNeeds): StartAuthorization {
  return async (request) => {
    const found = await findConnectionToChange(needs, request);
    assertApplicable(found.connection, request);
    assertReturnUrl(request.returnUrl, needs.policy.allowedReturnOrigins);
    const connectToken = new Secret(needs.random.token(connectTokenBytes));
    const state = stateOf(needs.digest, connectToken);
    const transaction = await newTransaction(needs, found, request, stateHashOf(needs.digest, state));
    await needs.transactions.create(transaction);
    await setPending(needs, found, request, transaction);
    const { requireConnectPage, publicBaseUrl } = needs.policy;
    return {
      authorizationUrl: requireConnectPage ? null : withState(transaction.authorizationUrl, state),
      connectUrl: `${publicBaseUrl}/api/connect/${connectToken.reveal()}`,
      state: requireConnectPage ? null : state,
      expiresAt: transaction.expiresAt,
    };
  };
}

/** The provider's page of a transaction, with the state that only its holder knows. */
export function withState(authorizationUrl: string, state: Secret): string {
  const url = new URL(authorizationUrl);
  url.searchParams.set('state', state.reveal());
  return url.href;
}

async function newTransaction(
  needs: AuthorizationNeeds,
  { connection }: StoredConnection,
  request: AuthorizationStart,
  stateHash: string,
): Promise<Transaction> {
  const now = needs.clock.now();
  const client = await oauthClient(needs, connection);
  const { redirectUri } = client;
  const codeVerifier = new Secret(needs.random.token(codeVerifierBytes));
  const nonce = new Secret(needs.random.token(nonceBytes));
  const scopes = request.scopes ?? connection.config.scopes;
  const authorizationUrl = await needs.authorizationServer.authorizationUrl(client, {
    redirectUri,
    codeVerifier,
    nonce,
    scopes,
    loginHint: request.loginHint,
    prompt: request.prompt,
  });
  return {
    stateHash,
    connectionOrg: connection.org,
    connection: connection.name,
    org: request.org,
    userId: request.userId,
    callerId: request.caller.id,
    callerName: request.caller.name,
    endpointsId: connection.endpointsId,
    redirectUri,
    scopes,
    returnUrl: request.returnUrl,
    allowAccountChange: request.allowAccountChange,
    createdAt: now,
    expiresAt: now + transactionLifeMs,
    isBrowserBound: needs.policy.requireConnectPage,
    codeVerifier,
    nonce,
    authorizationUrl,
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
