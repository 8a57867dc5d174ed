import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import type { Secret } from '../domain/secret.ts';

/** First byte of every Fernet token, and the only version of the format that there is. */
export const fernetVersion = 0x80;

const timestampOffset = 1;
const ivOffset = 9;
const ivBytes = 16;
const cipherOffset = ivOffset + ivBytes;
const blockBytes = 16;
const macBytes = 32;
const shortestToken = cipherOffset + blockBytes + macBytes;
const cipherName = 'aes-128-cbc';

/** How far into the future a token's timestamp may lie, as the specification's implementations agree. */
const clockSkewSeconds = 60;

export type FernetErrorCode = 'key_invalid' | 'token_invalid';

/** A key or a token that cannot be used. The message repeats nothing of either. */
export class FernetError extends Error {
  override readonly name = 'FernetError';
  readonly code: FernetErrorCode;

  constructor(code: FernetErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** A parsed key. */
export interface FernetKey {
  /** The first eight hex digits of `fingerprint`: names the key in a log. */
  readonly id: string;
  /** SHA-256 of the key's text as Fernet writes it (44 characters, padded), in hex. */
  readonly fingerprint: string;
  readonly signing: KeyObject;
  readonly encryption: KeyObject;
}

/**
 * Parses a key: 32 bytes in base64url, with or without padding. The first half signs, the second encrypts.
 *
 * Throws `FernetError` `key_invalid` for another alphabet or length, and for bytes that did not come from a random
 * source: a constant or evenly rising byte, or readable text.
 *
 * @see https://github.com/fernet/spec/blob/master/Spec.md#key-format
 */
export function parseFernetKey(text: Secret): FernetKey {
  const unpadded = text.reveal().replace(/=$/, '');
  if (!/^[A-Za-z0-9_-]*$/.test(unpadded)) {
    throw new FernetError('key_invalid', 'A Fernet key is base64url text: this one has other characters.');
  }
  const bytes = Buffer.from(unpadded, 'base64url');
  if (bytes.length !== 32) {
    throw new FernetError('key_invalid', `A Fernet key has 32 bytes: this one has ${bytes.length}.`);
  }
  if (looksMadeUp(bytes)) {
    throw new FernetError('key_invalid', 'This Fernet key is a placeholder: generate a random one.');
  }
  const fingerprint = createHash('sha256')
    .update(`${bytes.toString('base64url')}=`)
    .digest('hex');
  return {
    id: fingerprint.slice(0, 8),
    fingerprint,
    signing: createSecretKey(bytes.subarray(0, 16)),
    encryption: createSecretKey(bytes.subarray(16)),
  };
}

/**
 * Seals `plaintext` into a token's raw bytes. `iv` must be 16 fresh random bytes for every token; `timeSeconds` is the
 * time of sealing, in seconds since the epoch.
 *
 * @see https://github.com/fernet/spec/blob/master/Spec.md#generating
 */
export function sealFernet(
  key: FernetKey,
  plaintext: Uint8Array,
  { timeSeconds, iv }: { readonly timeSeconds: number; readonly iv: Uint8Array },
): Buffer {
  if (iv.length !== ivBytes) {
    throw new TypeError(`the IV has ${iv.length} bytes instead of ${ivBytes}`);
  }
  const head = Buffer.alloc(cipherOffset);
  head[0] = fernetVersion;
  head.writeBigUInt64BE(BigInt(timeSeconds), timestampOffset);
  head.set(iv, ivOffset);
  const cipher = createCipheriv(cipherName, key.encryption, iv);
  const signed = Buffer.concat([head, cipher.update(plaintext), cipher.final()]);
  return Buffer.concat([signed, macOf(key, signed)]);
}

export interface FernetAge {
  /** Now, in seconds since the epoch. */
  readonly nowSeconds: number;
  readonly maxAgeSeconds: number;
}

/**
 * Opens a token's raw bytes. With `age`, a token is refused when it is older than `maxAgeSeconds`, and when its
 * timestamp lies more than 60 s in the future; without, its timestamp is not looked at.
 *
 * Throws the same `FernetError` `token_invalid` whatever is wrong, so that nobody learns how far a forged token came.
 * The MAC is checked before anything else of the token is used.
 *
 * @see https://github.com/fernet/spec/blob/master/Spec.md#verifying
 */
export function openFernet(key: FernetKey, token: Uint8Array, age?: FernetAge): Buffer {
  const bytes = Buffer.from(token.buffer, token.byteOffset, token.byteLength);
  if (bytes.length < shortestToken || bytes[0] !== fernetVersion) {
    throw tokenInvalid();
  }
  const signed = bytes.subarray(0, -macBytes);
  if (!timingSafeEqual(macOf(key, signed), bytes.subarray(-macBytes))) {
    throw tokenInvalid();
  }
  if (age !== undefined && !isWithin(age, Number(bytes.readBigUInt64BE(timestampOffset)))) {
    throw tokenInvalid();
  }
  try {
    const decipher = createDecipheriv(cipherName, key.encryption, bytes.subarray(ivOffset, cipherOffset));
    return Buffer.concat([decipher.update(signed.subarray(cipherOffset)), decipher.final()]);
  } catch {
    throw tokenInvalid();
  }
}

/** A token's bytes as the text that other Fernet libraries read and write. */
export function toFernetText(token: Uint8Array): string {
  const text = Buffer.from(token).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** A token's bytes from its text. Throws `FernetError` `token_invalid` when it is not strict, padded base64url. */
export function fromFernetText(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (toFernetText(bytes) !== text) {
    throw tokenInvalid();
  }
  return bytes;
}

function tokenInvalid(): FernetError {
  return new FernetError('token_invalid', 'The token cannot be opened with this key.');
}

function macOf(key: FernetKey, signed: Uint8Array): Buffer {
  return createHmac('sha256', key.signing).update(signed).digest();
}

function isWithin({ nowSeconds, maxAgeSeconds }: FernetAge, sealedSeconds: number): boolean {
  return sealedSeconds + maxAgeSeconds >= nowSeconds && sealedSeconds <= nowSeconds + clockSkewSeconds;
}

/** 32 random bytes fall under this once in some 10^13 keys; passphrases and `00 01 02 …` always do. */
function looksMadeUp(bytes: Buffer): boolean {
  const isPrintable = bytes.every((byte) => byte >= 0x20 && byte <= 0x7e);
  const step = bytes.readUInt8(1) - bytes.readUInt8(0);
  const isEven = bytes.every((byte, at) => at === 0 || ((byte - bytes.readUInt8(at - 1) - step) & 0xff) === 0);
  return isPrintable || isEven || new Set(bytes).size < 12;
}
