import type { PendingRevocation, RevocationState } from '../domain/revocation.ts';
import type { ResealResult, WalkOptions, WalkPage } from './grant-store.ts';

/** Where revocations wait that a provider did not answer. Every method throws `storage_unavailable`. */
export interface RevocationStore {
  create(revocation: PendingRevocation): Promise<void>;

  /** Resolves to undefined when there is none. */
  state(id: string): Promise<RevocationState | undefined>;

  /** Opens it. Undefined when there is none. Throws `grant_unreadable` when no key opens it, and `vault_unavailable`. */
  open(id: string): Promise<PendingRevocation | undefined>;

  /** Writes when it is tried again. One that is gone stays gone. */
  postpone(id: string, next: Pick<RevocationState, 'attempts' | 'nextAt'>): Promise<void>;

  remove(id: string): Promise<void>;

  /** The ids of those to be tried by a time, at most `limit`. */
  due(until: number, limit: number): Promise<readonly string[]>;

  /** As `reseal` of the grants. */
  reseal(id: string): Promise<ResealResult>;

  /** The ids of all that wait, page by page, as `walkUsers` of the grants. */
  walk(cursor: string | null, options?: WalkOptions): AsyncIterable<WalkPage<string>>;
}
