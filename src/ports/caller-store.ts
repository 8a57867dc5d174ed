import type { CallerRecord } from '../domain/caller.ts';

/** Where API keys lie, as SHA-256 only. Every method throws `storage_unavailable` when storage does not answer. */
export interface CallerStore {
  create(caller: CallerRecord): Promise<void>;
  get(keyId: string): Promise<CallerRecord | undefined>;
  /** All callers, a page at a time: the use case shows only those that the asking caller may see. */
  list(page: { readonly limit: number; readonly continuation: string | null }): Promise<{
    readonly items: readonly CallerRecord[];
    readonly continuation: string | null;
  }>;
  /** Resolves to false when there is none. */
  remove(keyId: string): Promise<boolean>;
}
