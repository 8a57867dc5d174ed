import type { GrantKey } from '../domain/grant.ts';

/** A note that a grant should be refreshed at a time. It is a hint: the grant's row is the truth. */
export interface DueEntry {
  readonly key: GrantKey;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Which authorization server it is: entries of one go together into a batch. */
  readonly server: string;
}

/**
 * Finds what is due without reading what is not. Every method throws `storage_unavailable` when storage does not
 * answer.
 */
export interface DueIndex {
  /** Notes an entry. One that is there already is no failure. Resolves to whether it is new. */
  insert(entry: DueEntry): Promise<boolean>;
  /** Forgets an entry. One that is not there is no failure. */
  remove(entry: Pick<DueEntry, 'key' | 'at'>): Promise<void>;
  /**
   * The entries up to a time, page by page; the cost grows with them alone. `most`: about how many at most, those that
   * are due the longest as far as the index can tell.
   */
  due(until: number, most?: number): AsyncIterable<readonly DueEntry[]>;
  /** Every entry, from where an earlier walk stopped. */
  walk(cursor: string | null): AsyncIterable<DuePage>;
}

/** An entry and when it was written, by storage's clock, in milliseconds since the epoch. */
export interface DatedEntry extends DueEntry {
  readonly writtenAt: number;
}

export interface DuePage {
  readonly entries: readonly DatedEntry[];
  /** Where to go on after this page. Null at the end. */
  readonly cursor: string | null;
}
