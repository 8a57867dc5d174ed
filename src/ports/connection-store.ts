import type { Connection, ConnectionKey } from '../domain/connection.ts';
import type { Grant, Tokens } from '../domain/grant.ts';
import type { OrgId } from '../domain/ids.ts';
import type { StoredGrant, WalkOptions, WalkPage } from './grant-store.ts';

/** A connection together with the organisation's own grant: they lie in one row, so one read gives both. */
export interface StoredConnection {
  readonly connection: Connection;
  readonly own: StoredGrant;
}

/** What an update writes. `tokens` left out: they stay. Null: they are erased. */
export interface ConnectionChange {
  readonly connection: Connection;
  readonly grant?: Grant;
  readonly tokens?: Tokens | null;
}

export interface ConnectionPage {
  readonly items: readonly StoredConnection[];
  /** Where the next page begins, or null at the end. */
  readonly continuation: string | null;
}

/**
 * Where connections live. Every method throws `storage_unavailable` when storage does not answer, and a method that
 * returns has been acknowledged by storage. Concurrency is this port's own affair: no caller sees a version.
 */
export interface ConnectionStore {
  /** Writes a new connection. Throws `connection_exists` when there is one of that name, and writes nothing then. */
  create(connection: Connection, grant: Grant, tokens: Tokens | null): Promise<void>;

  get(key: ConnectionKey): Promise<StoredConnection | undefined>;

  /**
   * Reads, lets `updater` decide, writes if nobody else wrote in between, and begins again if somebody did: `updater`
   * may run several times and must be pure; what it throws ends the update. Undefined from it: nothing is written.
   * Resolves to what is stored now, or undefined when there is no such connection: an update never brings a deleted
   * one back.
   */
  update(
    key: ConnectionKey,
    updater: (current: StoredConnection) => ConnectionChange | undefined,
  ): Promise<StoredConnection | undefined>;

  /**
   * Deletes, or leaves what `isWanted` does not want deleted. Resolves to what was deleted (for revocation and
   * clean-up), or undefined when there was nothing.
   */
  remove(key: ConnectionKey, isWanted?: (current: StoredConnection) => boolean): Promise<StoredConnection | undefined>;

  /** One page of an organisation's connections by name, without tokens. `limit` is at most 100. */
  list(org: OrgId, page: { readonly limit: number; readonly continuation: string | null }): Promise<ConnectionPage>;

  /**
   * Page by page all connections of all organisations, without tokens: for jobs that visit everything. Begins after
   * the page that gave `cursor`, or at the start with null. A connection that is there all the while comes exactly once.
   * Throws `validation_failed` for a cursor that no page has given.
   */
  walkOwn(cursor: string | null, options?: WalkOptions): AsyncIterable<WalkPage<StoredConnection>>;
}
