import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { createKeyring } from '../../src/crypto/keyring.ts';
import { Secret } from '../../src/domain/secret.ts';
import { type Measure, median, ratio } from './measure.ts';

const rounds = 7;
const perRound = 4000;

/** Sealing and opening 2 KiB, against the same ciphers of node:crypto without anything around them. */
export async function measureSealing(): Promise<Measure> {
  const key = new Secret(randomBytes(32).toString('base64url'));
  const keyring = createKeyring({ load: async () => [key], clock: { now: Date.now }, randomBytes });
  const plaintext = randomBytes(2048);
  await keyring.open(await keyring.seal(plaintext));
  const raw = rawSealing();
  const ratios: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const rawMs = await time(async () => raw(plaintext));
    const ringMs = await time(async () => keyring.open(await keyring.seal(plaintext)));
    ratios.push(rawMs / ringMs);
  }
  const figure = median(ratios);
  return {
    name: 'sealing and opening 2 KiB, against raw AES-CBC + HMAC of node:crypto',
    figure: ratio(figure),
    aim: '0.70 or more',
    isMet: figure >= 0.7,
    note: `median of ${rounds} rounds of ${perRound} in a process of its own; the key ring awaits its keys and copies the token's parts`,
  };
}

function rawSealing(): (plaintext: Buffer) => Buffer {
  const [cipherKey, macKey] = [createSecretKey(randomBytes(16)), createSecretKey(randomBytes(16))];
  return (plaintext) => {
    const iv = randomBytes(16);
    const cipher = createCipheriv('aes-128-cbc', cipherKey, iv);
    const sealed = Buffer.concat([iv, cipher.update(plaintext), cipher.final()]);
    const mac = createHmac('sha256', macKey).update(sealed).digest();
    if (!timingSafeEqual(mac, createHmac('sha256', macKey).update(sealed).digest())) throw new Error('a wrong MAC');
    const decipher = createDecipheriv('aes-128-cbc', cipherKey, sealed.subarray(0, 16));
    return Buffer.concat([decipher.update(sealed.subarray(16)), decipher.final()]);
  };
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  for (let count = 0; count < perRound; count += 1) await work();
  return performance.now() - began;
}
