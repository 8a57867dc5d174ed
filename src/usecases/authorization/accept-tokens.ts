import type { Connection } from '../../domain/connection.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { GrantKey, StatusReason, Tokens } from '../../domain/grant.ts';
import type { TokenSet } from '../../domain/token-set.ts';
import { type Transaction, testingLifeMs } from '../../domain/transaction.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { revokeTokens } from '../connections/discard-tokens.ts';
import { type FinishedAuthorization, keyOf } from './callback.ts';
import type { AuthorizationNeeds } from './needs.ts';
import { keepAuthorized, keepRefused } from './settle-authorization.ts';

export interface Acceptance {
  readonly transaction: Transaction;
  readonly connection: Connection;
  /** Who got the tokens. */
  readonly client: OAuthClient;
  readonly key: GrantKey;
  /** What the grant held before. */
  readonly before: Tokens | null;
  readonly issued: TokenSet;
}

/**
 * Looks whose account the tokens are of, tries them, and only then replaces the grant. Resolves to what became of it,
 * which may be a refusal: the tokens are revoked then, unless that would end other grants of the account.
 */
export async function acceptTokens(
  needs: AuthorizationNeeds,
  { transaction, connection, client, key, before, issued: redeemed }: Acceptance,
): Promise<FinishedAuthorization> {
  const issued = await withAccount(needs, client, redeemed);
  if (before !== null && before.account !== null && issued.tokens.account === null) {
    needs.logger.warn('account_unknown', placeOf(transaction));
  }
  const refusal =
    accountRefusal(transaction, before, issued.tokens) ?? (await probeRefusal(needs, client, issued.tokens));
  if (refusal !== undefined) {
    await revokeTokens(needs, connection, issued.tokens, { client, isRefused: true });
    return keepRefused(needs, transaction, refusal.reason, refusal.message);
  }
  const { account } = issued.tokens;
  const isOther = account !== null && before !== null && before.account !== null && before.account !== account;
  if (isOther) needs.audit.about({ detail: { account_changed: true } });
  return keepAuthorized(needs, transaction, { connection, client }, key, issued);
}

/** Marks the grant as `testing`, so that a crash from here on shows. Resolves to what is there before. */
export async function beginTesting(needs: AuthorizationNeeds, transaction: Transaction) {
  const key = keyOf(transaction);
  const found = await needs.connections.get({ org: transaction.connectionOrg, name: transaction.connection });
  if (found === undefined) throw rejected('The connection was deleted meanwhile.');
  if (found.connection.endpointsId !== transaction.endpointsId) throw rejected('The connection was changed meanwhile.');
  let isCurrent = false;
  const stored = await needs.grants.update(key, (current) => {
    const pending = current?.grant.pending;
    isCurrent = pending?.stateHash === transaction.stateHash;
    if (!isCurrent || !pending || current === undefined) return undefined;
    return { grant: { ...current.grant, pending: { ...pending, testingUntil: needs.clock.now() + testingLifeMs } } };
  });
  if (!isCurrent || stored === undefined)
    throw rejected('This authorization was cancelled, or replaced by a newer one.');
  return { connection: found.connection, key, before: await openIfReadable(needs, stored) };
}

/** An old grant that cannot be read any more must not keep anybody from authorizing again. */
async function openIfReadable({ grants }: AuthorizationNeeds, stored: StoredGrant): Promise<Tokens | null> {
  try {
    return await grants.open(stored);
  } catch (error) {
    if (hasCode(error, 'grant_unreadable')) return null;
    throw error;
  }
}

/** Userinfo that does not answer leaves the account unknown, which is logged and allowed. */
async function withAccount(needs: AuthorizationNeeds, client: OAuthClient, issued: TokenSet): Promise<TokenSet> {
  const { accessToken, account } = issued.tokens;
  if (account !== null || accessToken === null) return issued;
  try {
    const found = await needs.authorizationServer.account(client, accessToken);
    return { ...issued, tokens: { ...issued.tokens, account: found } };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    needs.logger.warn('userinfo_failed', { code: error.code, detail: error.detail });
    return issued;
  }
}

interface Refusal {
  readonly reason: StatusReason;
  readonly message: string;
}

function accountRefusal(transaction: Transaction, before: Tokens | null, issued: Tokens): Refusal | undefined {
  const isKnown = before !== null && before.account !== null && issued.account !== null;
  if (!isKnown || before.account === issued.account || transaction.allowAccountChange) return undefined;
  return {
    reason: 'account_changed',
    message: 'This is another account than before. Sign in with the account that was connected, or allow the change.',
  };
}

async function probeRefusal(
  needs: AuthorizationNeeds,
  client: OAuthClient,
  issued: Tokens,
): Promise<Refusal | undefined> {
  if (issued.accessToken === null) return undefined;
  const probe = await needs.authorizationServer.probe(client, issued.accessToken);
  if (probe?.outcome !== 'rejected') return undefined;
  return { reason: 'provider_rejected_token', message: `The provider does not accept its own token: ${probe.message}` };
}

function rejected(message: string): BrokerError {
  return new BrokerError('callback_rejected', message);
}

export function placeOf({ org, connectionOrg, connection }: Transaction): Record<string, unknown> {
  return { org, connection_org: connectionOrg, connection };
}

/** Why an authorization failed, as the grant shows it. */
export function reasonOf(error: BrokerError): StatusReason {
  if (error.extra?.status_reason === 'access_denied') return 'access_denied';
  switch (error.code) {
    case 'provider_rejected_client':
    case 'provider_rejected_token':
    case 'provider_unavailable':
    case 'provider_answer_invalid':
    case 'url_not_allowed':
      return error.code;
    default:
      return 'authorization_failed';
  }
}
