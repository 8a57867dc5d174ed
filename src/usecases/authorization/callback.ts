import type { GrantKey, StatusReason } from '../../domain/grant.ts';
import type { ConnectionName } from '../../domain/ids.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { subjectOfGrant } from '../audit/audit-trail.ts';

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

/** What the audit log says of a call that belongs to a transaction. */
export function factsOfTransaction(transaction: Transaction) {
  const { callerId, isBrowserBound } = transaction;
  return {
    ...subjectOfGrant(keyOf(transaction)),
    detail: { begun_by: callerId, browser_bound: isBrowserBound },
  };
}

/** The grant that a transaction is for. */
export function keyOf({ connectionOrg, org, connection, userId }: Transaction): GrantKey {
  return { connectionOrg, org: userId === null ? connectionOrg : org, connection, userId };
}
