import { BrokerError } from '../../domain/errors.ts';
import { Secret } from '../../domain/secret.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { type Callback, factsOfTransaction } from './callback.ts';
import { browserKeyOf, stateHashOf } from './link-secrets.ts';
import type { AuthorizationNeeds } from './needs.ts';

const longestState = 512;

/**
 * Finds the transaction that a callback belongs to and takes it out of storage, so that it is used once. A callback
 * that belongs to none costs one point read. Throws `transaction_invalid`, or `callback_rejected` for the wrong
 * browser; the right one can still finish then.
 */
export async function takeTransaction(
  { clock, digest, transactions, audit }: AuthorizationNeeds,
  { connection, parameters, browserKey }: Callback,
): Promise<{ readonly transaction: Transaction; readonly state: Secret }> {
  const [given, ...more] = parameters.getAll('state');
  if (given === undefined || given === '' || given.length > longestState || more.length > 0) throw transactionInvalid();
  const state = new Secret(given);
  const stateHash = stateHashOf(digest, state);
  const transaction = await transactions.get(stateHash);
  if (transaction === undefined || transaction.connection !== connection) throw transactionInvalid();
  audit.about(factsOfTransaction(transaction));
  const isExpired = transaction.expiresAt <= clock.now();
  if (!isExpired && transaction.isBrowserBound)
    assertBrowser(browserKeyOf(digest, transaction.codeVerifier), browserKey(transaction));
  if (!(await transactions.consume(stateHash)) || isExpired) throw transactionInvalid();
  audit.about({ isSingular: true });
  return { transaction, state };

  /** Compares digests, so that the time taken says nothing about the key. */
  function assertBrowser(expected: Secret, given: string | undefined): void {
    if (given !== undefined && digest.sha256Hex(given) === digest.sha256Hex(expected.reveal())) return;
    throw new BrokerError(
      'callback_rejected',
      'This authorization was opened in another browser. Finish it there, or open the link here and begin again.',
    );
  }
}

function transactionInvalid(): BrokerError {
  return new BrokerError(
    'transaction_invalid',
    'This authorization is unknown, was finished already or has expired. Begin again from the connection.',
  );
}
