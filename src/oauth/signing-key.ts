import { importJWK, type JWK } from 'jose';
import type * as oauth from 'oauth4webapi';
import { type SigningAlgorithm, signingAlgorithms } from '../domain/connection.ts';
import { BrokerError } from '../domain/errors.ts';
import type { OAuthClient } from '../ports/authorization-server.ts';
import type { Transport } from './provider-call.ts';

/** What assertions are signed with. */
export interface SigningKey {
  readonly key: oauth.CryptoKey;
  readonly algorithm: SigningAlgorithm;
  readonly kid: string | undefined;
}

/** Assertions begin a minute ago, for providers whose clock is behind. */
const backdatedSeconds = 60;

/** The client's key. Throws `provider_rejected_client` when there is none that could sign: nothing is sent then. */
export async function signingKeyOf({ signingKey }: OAuthClient): Promise<SigningKey> {
  if (signingKey === null) throw unusable('The connection has no key to sign with. Set private_key.');
  try {
    const jwk = JSON.parse(signingKey.reveal()) as JWK;
    const algorithm = signingAlgorithms.find((name) => name === jwk.alg);
    const key = algorithm === undefined ? undefined : await importJWK(jwk, algorithm);
    if (algorithm !== undefined && key !== undefined && !(key instanceof Uint8Array)) {
      return { key, algorithm, kid: jwk.kid };
    }
  } catch {
    // What went wrong could repeat the key.
  }
  throw unusable('The key that the connection signs with cannot be used. Set private_key again.');
}

/** The claims that make an assertion good once and for a while (RFC 7523 section 3), by our own clock. */
export function assertionLife({ clock, random }: Pick<Transport, 'clock' | 'random'>, lifeSeconds: number) {
  const iat = Math.floor(clock.now() / 1000) - backdatedSeconds;
  return { jti: random.id(), iat, exp: iat + lifeSeconds };
}

function unusable(message: string): BrokerError {
  return new BrokerError('provider_rejected_client', message);
}
