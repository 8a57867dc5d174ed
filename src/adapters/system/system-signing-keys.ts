import { createPrivateKey, createPublicKey, generateKeyPair, type JsonWebKeyInput, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { SigningAlgorithm } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import { Secret } from '../../domain/secret.ts';
import type { KeyPair, SigningKeys } from '../../ports/signing-keys.ts';

const smallestRsaBits = 2048;
const makePair = promisify(generateKeyPair);

/** Keys by Node's own cryptography. */
export const systemSigningKeys: SigningKeys = {
  async generate(algorithm, kid) {
    // Off the main thread: an RSA key takes a while.
    const { privateKey } =
      algorithm === 'ES256'
        ? await makePair('ec', { namedCurve: 'P-256' })
        : await makePair('rsa', { modulusLength: smallestRsaBits });
    return pairOf(privateKey, algorithm, kid);
  },

  read(text, { algorithm, kid }) {
    const found = parse(text.reveal().trim());
    return pairOf(found.key, algorithmOf(found.key, algorithm ?? found.algorithm), found.kid ?? kid);
  },
};

interface Parsed {
  readonly key: KeyObject;
  readonly kid: string | null;
  readonly algorithm: string | null;
}

function parse(text: string): Parsed {
  try {
    if (!text.startsWith('{')) return { key: createPrivateKey(text), kid: null, algorithm: null };
    const json = JSON.parse(text) as Record<string, unknown>;
    if (typeof json.private_key === 'string') {
      return { key: createPrivateKey(json.private_key), kid: textOf(json.private_key_id), algorithm: null };
    }
    const key = createPrivateKey({ key: json as JsonWebKeyInput['key'], format: 'jwk' });
    return { key, kid: textOf(json.kid), algorithm: textOf(json.alg) };
  } catch {
    // What went wrong could repeat the key.
    throw invalid('must be a private key without a password: PEM (PKCS#8 or PKCS#1), or a JWK');
  }
}

function algorithmOf(key: KeyObject, wanted: string | null): SigningAlgorithm {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength < smallestRsaBits) throw invalid(`must have at least ${smallestRsaBits} bits`);
    if (wanted === 'RS256' || wanted === 'PS256' || wanted === null) return wanted ?? 'RS256';
    throw invalid(`is an RSA key, which does not sign by ${wanted}`);
  }
  if (key.asymmetricKeyType !== 'ec' || namedCurve !== 'prime256v1') throw invalid('must be RSA, or EC on P-256');
  if (wanted === 'ES256' || wanted === null) return 'ES256';
  throw invalid(`is a key on P-256, which does not sign by ${wanted}`);
}

function pairOf(key: KeyObject, alg: SigningAlgorithm, kid: string | null): KeyPair {
  const common = { alg, use: 'sig', ...(kid === null ? {} : { kid }) };
  const privateJwk = { ...key.export({ format: 'jwk' }), ...common };
  const publicJwk = { ...createPublicKey(key).export({ format: 'jwk' }), ...common };
  return {
    privateJwk: new Secret(JSON.stringify(privateJwk)),
    publicJwk: publicJwk as Readonly<Record<string, string>>,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : null;
}

function invalid(message: string): BrokerError {
  return new BrokerError('validation_failed', `private_key ${message}`, {
    details: [{ path: 'private_key', message }],
  });
}
