import type { AuditAction, AuditRecord } from '../domain/audit.ts';
import type { AuditCheckpoint, ChainHead, ChainLink } from '../domain/audit-chain.ts';
import type { ConnectionName, OrgId } from '../domain/ids.ts';
import type { PurgedPage } from './purged-page.ts';

export interface AuditQuery {
  /** Null: what nobody knows the organisation of. */
  readonly org: OrgId | null;
  /** From this time on, and before that, in milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly connection: ConnectionName | null;
  readonly callerId: string | null;
  readonly action: AuditAction | null;
  readonly limit: number;
  readonly continuation: string | null;
}

export interface AuditPage {
  readonly items: readonly AuditRecord[];
  /** A page may hold fewer than `limit`, or none, and still have one. */
  readonly continuation: string | null;
}

/** A record as it lies in storage. */
export interface StoredRecord {
  readonly record: AuditRecord;
  readonly link: ChainLink;
  /** It lies where its organisation and time say. */
  readonly isInPlace: boolean;
}

/**
 * Where records are kept, append only and chained. Every method throws `storage_unavailable` when storage does not
 * answer, but `append`, which throws `audit_unavailable`.
 */
export interface AuditLog {
  /**
   * Resolves when the record is durable. Throws `audit_unavailable` when that cannot be said; the record may be there
   * none the less.
   */
  append(record: AuditRecord): Promise<void>;
  /** Waits for what is under way and writes the end of this process's chain. What comes after begins another. */
  close(): Promise<void>;
  /** Newest first. Throws `validation_failed` for a continuation that no page has given. */
  list(query: AuditQuery): Promise<AuditPage>;
  /** Every record of a month, of all organisations, in no order. `unreadable` names a row that makes no sense. */
  recordsOf(month: string): AsyncIterable<StoredRecord | { readonly unreadable: string }>;
  /** The heads that were written in a month. */
  headsOf(month: string): Promise<readonly ChainHead[]>;
  /** All of them, oldest first: they are never purged. */
  checkpoints(): Promise<readonly AuditCheckpoint[]>;
  latestCheckpoint(): Promise<AuditCheckpoint | undefined>;
  /** Resolves to the checkpoint of that day: this one, or the one that was there already. */
  keepCheckpoint(checkpoint: AuditCheckpoint): Promise<AuditCheckpoint>;
  /** Deletes what lies in earlier months, page by page. Checkpoints stay. */
  purge(beforeMonth: string, cursor: string | null): AsyncIterable<PurgedPage>;
}
