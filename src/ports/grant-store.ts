import type { ConnectionKey } from '../domain/connection.ts';
import type { Grant, GrantKey, Tokens } from '../domain/grant.ts';
import type { OrgId } from '../domain/ids.ts';

declare const version: unique symbol;

/** The adapter's own knowledge of the row that was read: its version, its age, its sealed tokens. */
export interface RowVersion {
  readonly [version]: never;
}

/** A grant as it was read. */
export interface StoredGrant {
  readonly key: GrantKey;
  readonly grant: Grant;
  readonly row: RowVersion;
}

/** The right to call the token endpoint for one grant, until `endsAt` (milliseconds since the epoch, this process's clock port). */
export interface Claim {
  readonly stored: StoredGrant;
  readonly endsAt: number;
  /** The last holder vanished without a commit, or got no answer: what its request did at the provider is unknown. */
  readonly isTakeover: boolean;
  /** For a takeover: how long ago the earlier holder was last heard of; infinite where that is not known. */
  readonly interruptedMs: number;
}

export type ClaimResult =
  | { readonly kind: 'claimed'; readonly claim: Claim }
  /** Somebody else holds a live lease. */
  | { readonly kind: 'busy'; readonly stored: StoredGrant }
  /** Nothing to do: `isFresh` says so of the row as it is now. */
  | { readonly kind: 'fresh'; readonly stored: StoredGrant }
  /** The row is gone. */
  | { readonly kind: 'gone' };

export type CommitResult =
  | { readonly kind: 'committed'; readonly stored: StoredGrant }
  /** The grant was replaced, disconnected or taken over meanwhile, and ours was not written. */
  | { readonly kind: 'superseded'; readonly stored: StoredGrant }
  | { readonly kind: 'gone' }
  /** Storage did not say what became of the write until the lease ended. The tokens in memory are the only copy. */
  | { readonly kind: 'unknown' };

/** What a write sets. `tokens` left out: they stay. Null: they are erased. With a new `seq` or `generation`, they must be given. */
export interface GrantChange {
  readonly grant: Grant;
  readonly tokens?: Tokens | null;
  /** For a commit: the provider may have acted on the request. Whoever claims next takes over. */
  readonly isOutcomeUnknown?: boolean;
}

export type ResealResult =
  /** `keyId` is the id of the key that seals it now. */
  | { readonly kind: 'sealed_anew' | 'current'; readonly keyId: string }
  /** It holds no tokens. */
  | { readonly kind: 'empty' }
  /** No key opens it, or it makes no sense: it is left as it is. `reason` is for the log. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'gone' };

/**
 * Where grants live, and the lease on each. Every method throws `storage_unavailable` when storage does not answer.
 * Ages of leases are measured by storage's clock alone.
 */
export interface GrantStore {
  read(key: GrantKey): Promise<StoredGrant | undefined>;

  /**
   * Opens the tokens of a grant as it was read. Resolves to null when it holds none. Throws `grant_unreadable` when no
   * key opens them or when they were sealed for another place, generation or `seq`; `vault_unavailable` when the keys
   * cannot be read.
   */
  open(stored: StoredGrant): Promise<Tokens | null>;

  /**
   * Takes the lease by compare-and-swap, beginning with the row as it was read, and reads again when it has changed.
   * A lease lives 30 s.
   */
  claim(stored: StoredGrant, isFresh: (current: StoredGrant) => boolean): Promise<ClaimResult>;

  /**
   * Writes the outcome under the claim and ends the lease. An ambiguous answer of storage is resolved by reading, and
   * the write repeated until the lease ends. A change of labels by somebody else is not a conflict.
   */
  commit(claim: Claim, change: GrantChange): Promise<CommitResult>;

  /** Ends the lease without an outcome: nothing was sent to the provider. Best effort. */
  release(claim: Claim): Promise<void>;

  /**
   * Reads, lets `updater` decide, writes if nobody else wrote in between, and begins again if somebody did. A user's
   * grant that does not exist is created; the organisation's own exists with its connection only. Undefined from
   * `updater`: nothing is written. Resolves to what is stored now.
   */
  update(
    key: GrantKey,
    updater: (current: StoredGrant | undefined) => GrantChange | undefined,
  ): Promise<StoredGrant | undefined>;

  /** Notes that the grant was used. Written at most once a day, best effort. */
  touch(stored: StoredGrant, at: number): Promise<void>;

  /** Users' grants of a connection that lie in an organisation, without tokens. */
  listUsers(connection: ConnectionKey, org: OrgId, page: GrantPageRequest): Promise<GrantPage>;

  /**
   * Deletes a user's grant, or leaves what `isWanted` does not want deleted. Resolves to what was deleted, or undefined
   * when there was nothing.
   */
  removeUser(key: GrantKey, isWanted?: (current: StoredGrant) => boolean): Promise<StoredGrant | undefined>;

  /**
   * The id of the key that seals, safe to log; `fresh` reads the keys again first. Throws `vault_unavailable` and
   * `misconfigured` when they cannot be read.
   */
  sealingKey(options?: { readonly fresh?: boolean }): Promise<string>;

  /**
   * Seals the tokens of a grant anew with the first key, where another has sealed them. It changes nothing else, takes
   * no lease, and is no conflict for whoever holds one. Throws `vault_unavailable` and `misconfigured` as `sealingKey`.
   */
  reseal(key: GrantKey): Promise<ResealResult>;

  /** As `walkOwn` of the connections: all users' grants of all organisations. */
  walkUsers(cursor: string | null, options?: WalkOptions): AsyncIterable<WalkPage<StoredGrant>>;
}

/** A page of a walk that another process can go on with. It may be empty before the end. */
export interface WalkPage<Item> {
  readonly items: readonly Item[];
  /** How many rows of the page make no sense: they are reported, and not among the items. */
  readonly leftOut: number;
  /** Where the next page begins, or null at the end. It can be kept. */
  readonly cursor: string | null;
}

export interface WalkOptions {
  /** The most that one page holds. Left out: as many as storage likes to give, about 1000. */
  readonly limit?: number;
}

export interface GrantPageRequest {
  readonly limit: number;
  readonly continuation: string | null;
}

export interface GrantPage {
  readonly items: readonly StoredGrant[];
  readonly continuation: string | null;
}
