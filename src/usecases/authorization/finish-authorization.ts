import type { Connection } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { GrantKey, Tokens } from '../../domain/grant.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import { withClient } from '../connections/with-client.ts';
import { acceptTokens, beginTesting, placeOf, reasonOf } from './accept-tokens.ts';
import type { Callback, FinishedAuthorization } from './callback.ts';
import type { AuthorizationNeeds } from './needs.ts';
import { keepRefused } from './settle-authorization.ts';
import { takeTransaction } from './take-transaction.ts';

export type FinishAuthorization = (callback: Callback) => Promise<FinishedAuthorization>;

/**
 * Finishes an authorization: consumes the transaction, redeems the code, looks whose account it is, tries the token,
 * and only then replaces the grant; until that is written the old grant stays. Resolves to what became of it, which
 * may be a refusal. Throws `transaction_invalid` when the callback belongs to no living transaction, and
 * `callback_rejected` when it comes to the wrong browser; the provider is not called then.
 */
export function createFinishAuthorization(needs: AuthorizationNeeds): FinishAuthorization {
  return async (callback) => {
    const { transaction, state } = await takeTransaction(needs, callback);
    try {
      const { connection, key, before } = await beginTesting(needs, transaction);
      return await redeemAndKeep(needs, { callback, transaction, state, connection, key, before });
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      needs.logger.warn('authorization_failed', { ...placeOf(transaction), code: error.code, detail: error.detail });
      needs.audit.about({ detail: { code: error.code } });
      return await keepRefused(needs, transaction, reasonOf(error), error.message);
    }
  };
}

interface Redemption {
  readonly callback: Callback;
  readonly transaction: Transaction;
  readonly state: Secret;
  readonly connection: Connection;
  readonly key: GrantKey;
  readonly before: Tokens | null;
}

async function redeemAndKeep(needs: AuthorizationNeeds, redemption: Redemption): Promise<FinishedAuthorization> {
  const { callback, transaction, state, connection, key, before } = redemption;
  const { redirectUri, codeVerifier, nonce } = transaction;
  const iss = callback.parameters.get('iss');
  if (iss !== null) {
    needs.logger.info('callback_issuer', { ...placeOf(transaction), iss: iss.slice(0, 300) });
    needs.audit.about({ detail: { iss: iss.slice(0, 300) } });
  }
  const request = { parameters: callback.parameters, state, redirectUri, codeVerifier, nonce };
  const redeem = (as: OAuthClient) => needs.authorizationServer.redeemCode(as, request);
  const { result: issued, client, settleSecret } = await withClient(needs, connection, redeem);
  const finished = await acceptTokens(needs, { transaction, connection, client, key, before, issued });
  await settleSecret();
  return finished;
}
