import { randomBytes } from 'node:crypto';
import type { Random } from '../../ports/random.ts';

/** Randomness from the operating system. */
export function createSystemRandom(): Random {
  return {
    token: (bytes) => randomBytes(bytes).toString('base64url'),
    id: () => randomBytes(16).toString('hex'),
    fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
  };
}

export { randomBytes };
