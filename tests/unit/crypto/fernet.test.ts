import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  FernetError,
  type FernetKey,
  fromFernetText,
  openFernet,
  parseFernetKey,
  sealFernet,
  toFernetText,
} from '../../../src/crypto/fernet.ts';
import { Secret } from '../../../src/domain/secret.ts';

interface SpecVector {
  readonly token: string;
  readonly now: string;
  readonly secret: string;
}
interface SpecFixture {
  readonly generate: readonly (SpecVector & { readonly src: string; readonly iv: readonly number[] })[];
  readonly verify: readonly (SpecVector & { readonly src: string; readonly ttl_sec: number })[];
  readonly invalid: readonly (SpecVector & { readonly desc: string; readonly ttl_sec: number })[];
}

const spec: SpecFixture = JSON.parse(readFileSync(new URL('../../fixtures/fernet/spec.json', import.meta.url), 'utf8'));
const refusal = { name: 'FernetError', code: 'token_invalid', message: 'The token cannot be opened with this key.' };

function secondsOf(now: string): number {
  return Date.parse(now) / 1000;
}

function keyOf(text: string): FernetKey {
  return parseFernetKey(new Secret(text));
}

function newKey(): FernetKey {
  return keyOf(randomBytes(32).toString('base64url'));
}

function seal(key: FernetKey, plaintext: Uint8Array, timeSeconds = 1_700_000_000): Buffer {
  return sealFernet(key, plaintext, { timeSeconds, iv: randomBytes(16) });
}

function refusalOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(FernetError);
    const { name, code, message } = error as FernetError;
    return { name, code, message };
  }
  return 'nothing was thrown';
}

describe('the vectors of the Fernet specification', () => {
  test.each(spec.generate)('generate: the same key, time and IV give the same token', (vector) => {
    const sealed = sealFernet(keyOf(vector.secret), Buffer.from(vector.src), {
      timeSeconds: secondsOf(vector.now),
      iv: Uint8Array.from(vector.iv),
    });
    expect(toFernetText(sealed)).toBe(vector.token);
  });

  test.each(spec.verify)('verify: the token opens', (vector) => {
    const age = { nowSeconds: secondsOf(vector.now), maxAgeSeconds: vector.ttl_sec };
    expect(openFernet(keyOf(vector.secret), fromFernetText(vector.token), age).toString()).toBe(vector.src);
  });

  test.each(spec.invalid)('invalid: $desc is refused with the one refusal that there is', (vector) => {
    const age = { nowSeconds: secondsOf(vector.now), maxAgeSeconds: vector.ttl_sec };
    expect(refusalOf(() => openFernet(keyOf(vector.secret), fromFernetText(vector.token), age))).toEqual(refusal);
  });
});

describe('S-42 a token that was tampered with is refused, always in the same words', () => {
  test('a bit flipped in any byte of a short token', () => {
    const key = newKey();
    const token = seal(key, Buffer.from('short'));
    for (let at = 0; at < token.length; at += 1) {
      const forged = Buffer.from(token);
      forged.writeUInt8(forged.readUInt8(at) ^ (1 << (at % 8)), at);
      expect(
        refusalOf(() => openFernet(key, forged)),
        `byte ${at}`,
      ).toEqual(refusal);
    }
    expect(openFernet(key, token).toString()).toBe('short');
  });

  test('a bit flipped in every 37th byte of a large token', () => {
    const key = newKey();
    const token = seal(key, randomBytes(24 * 1024));
    for (let at = 0; at < token.length; at += 37) {
      const original = token.readUInt8(at);
      token.writeUInt8(original ^ 0x10, at);
      expect(
        refusalOf(() => openFernet(key, token)),
        `byte ${at}`,
      ).toEqual(refusal);
      token.writeUInt8(original, at);
    }
    expect(openFernet(key, token)).toHaveLength(24 * 1024);
  });

  test('a token cut at any length, or with bytes added', () => {
    const key = newKey();
    const token = seal(key, Buffer.from('some text of more than a block'));
    for (let length = 0; length < token.length; length += 1) {
      expect(
        refusalOf(() => openFernet(key, token.subarray(0, length))),
        `${length} bytes`,
      ).toEqual(refusal);
    }
    expect(refusalOf(() => openFernet(key, Buffer.concat([token, Buffer.alloc(16)])))).toEqual(refusal);
  });

  test('another key, and a key of which only one half is right', () => {
    const key = newKey();
    const other = newKey();
    const token = seal(key, Buffer.from('for one key only'));
    expect(refusalOf(() => openFernet(other, token))).toEqual(refusal);
    expect(refusalOf(() => openFernet({ ...key, signing: other.signing }, token))).toEqual(refusal);
  });
});

describe('age', () => {
  const key = newKey();
  const sealedAt = 1_700_000_000;
  const token = seal(key, Buffer.from('aged'), sealedAt);

  test('is not looked at unless a limit is given', () => {
    expect(openFernet(key, seal(key, Buffer.from('x'), 1)).toString()).toBe('x');
    expect(openFernet(key, seal(key, Buffer.from('x'), 9_999_999_999)).toString()).toBe('x');
  });

  test('is accepted up to the limit and refused one second later', () => {
    expect(openFernet(key, token, { nowSeconds: sealedAt + 60, maxAgeSeconds: 60 }).toString()).toBe('aged');
    expect(refusalOf(() => openFernet(key, token, { nowSeconds: sealedAt + 61, maxAgeSeconds: 60 }))).toEqual(refusal);
  });

  test('may be up to 60 s negative, for clocks that differ, and not more', () => {
    expect(openFernet(key, token, { nowSeconds: sealedAt - 60, maxAgeSeconds: 60 }).toString()).toBe('aged');
    expect(refusalOf(() => openFernet(key, token, { nowSeconds: sealedAt - 61, maxAgeSeconds: 60 }))).toEqual(refusal);
  });
});

describe('round trips', () => {
  test.each([0, 1, 15, 16, 17, 1000, 24_511, 65_471, 200 * 1024])('%i bytes come back as they were', (length) => {
    const key = newKey();
    const plaintext = randomBytes(length);
    const sealed = seal(key, plaintext);
    expect(openFernet(key, sealed).equals(plaintext)).toBe(true);
    expect(openFernet(key, fromFernetText(toFernetText(sealed))).equals(plaintext)).toBe(true);
  });

  test('100 random lengths up to 200 KB come back as they were', () => {
    const key = newKey();
    for (let round = 0; round < 100; round += 1) {
      const plaintext = randomBytes(randomBytes(4).readUInt32BE() % 204_801);
      expect(openFernet(key, seal(key, plaintext)).equals(plaintext), `${plaintext.length} bytes`).toBe(true);
    }
  });

  test('a token that lies within a larger buffer is read in its bounds', () => {
    const key = newKey();
    const sealed = seal(key, Buffer.from('inside'));
    const larger = new Uint8Array(sealed.length + 20).fill(7);
    larger.set(sealed, 10);
    expect(openFernet(key, larger.subarray(10, 10 + sealed.length)).toString()).toBe('inside');
  });

  test('an IV of another length is a mistake of the caller', () => {
    const parts = { timeSeconds: 0, iv: new Uint8Array(12) };
    expect(() => sealFernet(newKey(), new Uint8Array(0), parts)).toThrow(TypeError);
  });
});

describe('S-46 keys', () => {
  const bytes = randomBytes(32);
  const keyMessage = (text: string) => refusalOf(() => keyOf(text));

  test('are read with and without padding, and have the same name either way', () => {
    const padded = keyOf(`${bytes.toString('base64url')}=`);
    expect(padded.id).toMatch(/^[0-9a-f]{8}$/);
    expect(keyOf(bytes.toString('base64url')).fingerprint).toBe(padded.fingerprint);
    expect(newKey().id).not.toBe(padded.id);
  });

  test.each([
    ['nothing', '', 'A Fernet key has 32 bytes: this one has 0.'],
    ['16 bytes', bytes.subarray(0, 16).toString('base64url'), 'A Fernet key has 32 bytes: this one has 16.'],
    ['33 bytes', Buffer.concat([bytes, bytes]).subarray(0, 33).toString('base64url'), 'this one has 33.'],
    ['base64 that is not base64url', `+/${bytes.toString('base64url').slice(2)}`, 'has other characters'],
    ['a key with white space', `${bytes.toString('base64url')}\n`, 'has other characters'],
    ['two keys in one', `${bytes.toString('base64url')},${bytes.toString('base64url')}`, 'has other characters'],
    ['zeros', Buffer.alloc(32).toString('base64url'), 'is a placeholder'],
    ['the same byte', Buffer.alloc(32, 0xa5).toString('base64url'), 'is a placeholder'],
    ['rising bytes', Buffer.from(Array.from({ length: 32 }, (_, at) => at)).toString('base64url'), 'is a placeholder'],
    ['readable text', Buffer.from('my-super-secret-passphrase-1234!').toString('base64url'), 'is a placeholder'],
    ['a few bytes repeated', Buffer.alloc(32, Buffer.from('f00baa', 'hex')).toString('base64url'), 'is a placeholder'],
    ['a placeholder', 'replace-me', 'this one has 7.'],
  ])('%s is refused', (_name, text, message) => {
    expect(keyMessage(text)).toMatchObject({ code: 'key_invalid', message: expect.stringContaining(message) });
  });

  test('never appear in the refusal or in what is printed of a parsed key', () => {
    const text = bytes.toString('base64url');
    expect(JSON.stringify(keyMessage(`${text}!`))).not.toContain(text.slice(0, 8));
    const key = keyOf(text);
    expect(inspect(key, { depth: 9 }) + JSON.stringify(key)).not.toContain(text.slice(0, 8));
  });

  test('of which 2,000 random ones are all accepted', () => {
    for (let round = 0; round < 2000; round += 1) {
      expect(() => newKey()).not.toThrow();
    }
  });
});
