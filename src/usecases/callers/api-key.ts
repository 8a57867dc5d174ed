import { Secret } from '../../domain/secret.ts';
import type { Random } from '../../ports/random.ts';

const pattern = /^bwl_([0-9a-f]{16,32})_[A-Za-z0-9_-]{43}$/;
const secretBytes = 32;

/** The id in an API key, or undefined when the text is none. */
export function keyIdOf(apiKey: string): string | undefined {
  return pattern.exec(apiKey)?.[1];
}

/** Makes an API key: `bwl_{id, hex}_{256 random bits, base64url}`. */
export function newApiKey(random: Random): { readonly keyId: string; readonly apiKey: Secret } {
  const keyId = random.id();
  return { keyId, apiKey: new Secret(`bwl_${keyId}_${random.token(secretBytes)}`) };
}
