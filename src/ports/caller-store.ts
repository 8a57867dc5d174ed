import type { ApiKeyRecord, CallerRecord, PrincipalRecord } from '../domain/caller.ts';

/** What can change of an API key after it was made. */
export type ApiKeyChange = Partial<Pick<ApiKeyRecord, 'expiresAt' | 'rotatedTo' | 'lastUsedAt'>>;

/** What names a principal. Another tenant can have an object of the same id. */
export type PrincipalName = Pick<PrincipalRecord, 'tenantId' | 'objectId'>;

/**
 * Where callers lie: API keys, as SHA-256 only, and principals of Microsoft Entra. Every method throws
 * `storage_unavailable` when storage does not answer.
 */
export interface CallerStore {
  /** Resolves to false when there is one of that id already. */
  create(caller: CallerRecord): Promise<boolean>;
  key(keyId: string): Promise<ApiKeyRecord | undefined>;
  principal(name: PrincipalName): Promise<PrincipalRecord | undefined>;
  /** All callers, a page at a time: the use case shows only those that the asking caller may see. */
  list(page: { readonly limit: number; readonly continuation: string | null }): Promise<{
    readonly items: readonly CallerRecord[];
    readonly continuation: string | null;
  }>;
  /**
   * Changes a key as `decide` says of what is there; undefined leaves it. Never brings a deleted key back. Resolves to
   * whether it was changed.
   */
  changeKey(keyId: string, decide: (current: ApiKeyRecord) => ApiKeyChange | undefined): Promise<boolean>;
  /** Resolves to false when there is none. */
  removeKey(keyId: string): Promise<boolean>;
  /** Resolves to false when there is none. */
  removePrincipal(name: PrincipalName): Promise<boolean>;
}
