import type { Transaction } from '../domain/transaction.ts';
import type { PurgedPage } from './purged-page.ts';

/** Where transactions live until they are used. Every method throws `storage_unavailable` when storage does not answer. */
export interface TransactionStore {
  create(transaction: Transaction): Promise<void>;

  /** One point read. Resolves to undefined when there is none, or when it cannot be opened. */
  get(stateHash: string): Promise<Transaction | undefined>;

  /** Binds the transaction to the browser that opened the connect page. Resolves to false when it is gone. */
  bindToBrowser(stateHash: string): Promise<boolean>;

  /**
   * Takes the right to ask the provider about a device authorization: step `step`, which nobody else has then. After a
   * crash the step may be taken already: `isRedelivered` takes the one after it. Resolves to the next step, or undefined
   * when somebody else goes on with it, or it is gone.
   */
  takeStep(
    stateHash: string,
    take: { readonly step: number; readonly isRedelivered: boolean },
  ): Promise<number | undefined>;

  /** Deletes the transaction if it is still there. Resolves to true for exactly one of any number of parallel callers. */
  consume(stateHash: string): Promise<boolean>;

  /** Deletes what expired before a time, page by page, from where an earlier purge stopped. */
  purgeExpired(before: number, cursor: string | null): AsyncIterable<PurgedPage>;
}
