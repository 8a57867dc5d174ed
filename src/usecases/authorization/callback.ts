import type { GrantKey, StatusReason } from '../../domain/grant.ts';
import type { ConnectionName } from '../../domain/ids.ts';
import type { Transaction } from '../../domain/transaction.ts';

export interface Callback {
  readonly connection: ConnectionName;
  /** The query of the redirect, as it arrived. */
  readonly parameters: URLSearchParams;
  /** The value of this transaction's cookie, where the browser sent it. */
  readonly browserKey: (transaction: Transaction) => string | undefined;
}

export interface FinishedAuthorization {
  readonly transaction: Transaction;
  readonly status: 'completed' | 'failed';
  readonly statusReason: StatusReason | null;
  /** For the person in front of the browser. */
  readonly message: string;
}

/** The grant that a transaction is for. */
export function keyOf({ connectionOrg, org, connection, userId }: Transaction): GrantKey {
  return { connectionOrg, org: userId === null ? connectionOrg : org, connection, userId };
}
