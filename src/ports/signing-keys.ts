import type { SigningAlgorithm } from '../domain/connection.ts';
import type { Secret } from '../domain/secret.ts';

/** A key pair for assertions. */
export interface KeyPair {
  /** As JSON: RFC 7517, with `alg`, and `kid` where one was given. */
  readonly privateJwk: Secret;
  /** The same without its private part. */
  readonly publicJwk: Readonly<Record<string, string>>;
}

/** Keys that assertions are signed with. */
export interface SigningKeys {
  /** RSA of 2048 bits, or P-256 for ES256. */
  generate(algorithm: SigningAlgorithm, kid: string): Promise<KeyPair>;

  /**
   * Reads a private key as people have it: PEM (PKCS#8, PKCS#1, SEC 1), a JWK, or JSON with a PEM in `private_key` and
   * its name in `private_key_id`. `kid` is its name where it has none of its own. Without an algorithm: RS256, or ES256 for P-256. Throws `validation_failed` with what
   * is wrong, and repeats nothing of the key.
   */
  read(text: Secret, options: { readonly algorithm: SigningAlgorithm | null; readonly kid: string | null }): KeyPair;
}
