import { createHash } from 'node:crypto';
import type { Digest } from '../../ports/digest.ts';

export const systemDigest: Digest = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  sha256Base64url: (text) => createHash('sha256').update(text).digest('base64url'),
};
