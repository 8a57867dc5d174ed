import { createHash, timingSafeEqual } from 'node:crypto';
import type { Digest } from '../../ports/digest.ts';

export const systemDigest: Digest = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  sha256Base64url: (text) => createHash('sha256').update(text).digest('base64url'),
  isSame(one, other) {
    const [left, right] = [Buffer.from(one), Buffer.from(other)];
    return left.length === right.length && timingSafeEqual(left, right);
  },
};
