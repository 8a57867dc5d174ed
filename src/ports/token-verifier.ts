import type { Role } from '../domain/caller.ts';
import type { Secret } from '../domain/secret.ts';

/** Who an access token was issued to, and the app roles it carries. */
export interface VerifiedPrincipal {
  readonly tenantId: string;
  readonly objectId: string;
  readonly roles: readonly Role[];
}

export interface TokenVerifier {
  /**
   * Checks an access token of the identity provider completely. Throws `unauthenticated` for whatever is wrong with it,
   * and `identity_keys_unavailable` when the key that it names is not known and the provider's keys cannot be read.
   */
  verify(token: Secret): Promise<VerifiedPrincipal>;
}
