import { BrokerError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { Dependencies } from '../dependencies.ts';
import { factsOfTransaction } from './callback.ts';
import { browserKeyOf, stateHashOf, stateOf } from './link-secrets.ts';
import { type ProviderPageNeeds, providerPage } from './provider-page.ts';

export interface ConnectPage {
  readonly transaction: Transaction;
  /** The host that the link goes on to: what a person can check. */
  readonly providerHost: string;
  readonly authorizationUrl: string;
  /** Goes into the cookie that binds this browser. */
  readonly browserKey: Secret;
}

export type OpenConnectPage = (connectToken: Secret) => Promise<ConnectPage>;

type Needs = ProviderPageNeeds &
  Pick<Dependencies, 'clock' | 'digest' | 'transactions'> & { readonly audit: Pick<AuditTrail, 'about'> };

/**
 * Opens a connect link: from now on only a browser that opened it can finish this authorization. Opening it again does
 * no harm. Throws `connect_link_invalid` when the link is unknown, used, cancelled or older than ten minutes, or its
 * connection was changed, and what `providerPage` throws.
 */
export function createOpenConnectPage(needs: Needs): OpenConnectPage {
  return async (connectToken) => {
    const state = stateOf(needs.digest, connectToken);
    const stateHash = stateHashOf(needs.digest, state);
    const transaction = await needs.transactions.get(stateHash);
    if (transaction !== undefined) needs.audit.about(factsOfTransaction(transaction));
    if (transaction === undefined || transaction.expiresAt <= needs.clock.now()) throw linkInvalid();
    const found = await needs.connections.get({ org: transaction.connectionOrg, name: transaction.connection });
    if (found?.connection.endpointsId !== transaction.endpointsId) throw linkInvalid();
    if (!transaction.isBrowserBound && !(await needs.transactions.bindToBrowser(stateHash))) throw linkInvalid();
    return {
      transaction,
      providerHost: new URL(transaction.authorizationUrl).host,
      authorizationUrl: await providerPage(needs, found.connection, transaction, state),
      browserKey: browserKeyOf(needs.digest, transaction.codeVerifier),
    };
  };
}

function linkInvalid(): BrokerError {
  return new BrokerError('connect_link_invalid', 'This link was used, has expired or was replaced. Ask for a new one.');
}
