import type { Secret } from '../domain/secret.ts';

/** Where client secrets lie. Every method throws `vault_unavailable` when the vault does not answer. */
export interface SecretVault {
  /** Sets a secret under a name that is new, with tags that say whose it is. */
  put(name: string, value: Secret, tags: Readonly<Record<string, string>>): Promise<void>;

  /**
   * Reads a secret: from memory for 10 minutes, and for up to 24 hours while the vault is down. `fresh` reads the
   * vault at once, but no secret more often than every 30 s. Resolves to undefined when there is none.
   */
  get(name: string, options?: { readonly fresh?: boolean }): Promise<Secret | undefined>;

  /** Deletes a secret. One that is not there is no failure. */
  remove(name: string): Promise<void>;
}
