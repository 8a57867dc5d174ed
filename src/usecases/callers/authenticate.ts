import { type Caller, unauthenticated } from '../../domain/caller.ts';
import type { Secret } from '../../domain/secret.ts';
import { isApiKey } from './api-key.ts';
import { createAuthenticateKey, type KeyNeeds } from './authenticate-key.ts';
import { createAuthenticatePrincipal, type PrincipalNeeds } from './authenticate-principal.ts';

/** What a request shows of who sends it, by the header in which it came. */
export interface PresentedCredentials {
  /** From `Authorization: Bearer`. */
  readonly bearer: Secret | undefined;
  /** From `x-api-key`. */
  readonly apiKey: Secret | undefined;
}

export type Authenticate = (presented: PresentedCredentials) => Promise<Caller>;

/**
 * Says who calls, by an API key in either header or by an access token in the first. Which of them a credential is
 * meant as shows in its form; one that is neither is refused, and so are two that differ. Throws `unauthenticated`,
 * whatever is wrong, `organization_forbidden` for a principal without organisations, and `identity_keys_unavailable`.
 */
export function createAuthenticate(needs: KeyNeeds & PrincipalNeeds): Authenticate {
  const authenticateKey = createAuthenticateKey(needs);
  const authenticatePrincipal = createAuthenticatePrincipal(needs);
  return async ({ bearer, apiKey }) => {
    if (bearer !== undefined && apiKey !== undefined && bearer.reveal() !== apiKey.reveal()) {
      throw unauthenticated('two credentials that differ');
    }
    const credential = bearer ?? apiKey;
    if (credential === undefined) throw unauthenticated('no credential');
    if (isApiKey(credential.reveal())) return authenticateKey(credential);
    if (apiKey === undefined && isToken(credential.reveal())) return authenticatePrincipal(credential);
    throw unauthenticated('neither an API key nor a token');
  };
}

/** A signed token in its compact form has three parts (RFC 7515 §3.1). */
function isToken(text: string): boolean {
  return text.split('.', 4).length === 3;
}
