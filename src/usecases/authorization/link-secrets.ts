import { Secret } from '../../domain/secret.ts';
import type { Digest } from '../../ports/digest.ts';

/**
 * The secrets of one transaction all follow from one: the connect link's token gives the state, and nothing leads
 * back. So a link opens its transaction with one point read, and the state in a provider's log opens nothing.
 */
export function stateOf(digest: Digest, connectToken: Secret): Secret {
  return new Secret(digest.sha256Base64url(`bowline-state:${connectToken.reveal()}`));
}

/** What names the transaction in storage. */
export function stateHashOf(digest: Digest, state: Secret): string {
  return digest.sha256Hex(state.reveal());
}

/**
 * The value of the cookie that binds the transaction to a browser. It follows from the PKCE verifier, which no browser
 * ever sees, so that only somebody who opened the connect link has it, however often it is opened.
 */
export function browserKeyOf(digest: Digest, codeVerifier: Secret): Secret {
  return new Secret(digest.sha256Base64url(`bowline-browser:${codeVerifier.reveal()}`));
}
