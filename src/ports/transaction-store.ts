import type { Transaction } from '../domain/transaction.ts';
import type { PurgedPage } from './purged-page.ts';

/** Where transactions live until they are used. Every method throws `storage_unavailable` when storage does not answer. */
export interface TransactionStore {
  create(transaction: Transaction): Promise<void>;

  /** One point read. Resolves to undefined when there is none, or when it cannot be opened. */
  get(stateHash: string): Promise<Transaction | undefined>;

  /** Binds the transaction to the browser that opened the connect page. Resolves to false when it is gone. */
  bindToBrowser(stateHash: string): Promise<boolean>;

  /** Deletes the transaction if it is still there. Resolves to true for exactly one of any number of parallel callers. */
  consume(stateHash: string): Promise<boolean>;

  /** Deletes what expired before a time, page by page, from where an earlier purge stopped. */
  purgeExpired(before: number, cursor: string | null): AsyncIterable<PurgedPage>;
}
