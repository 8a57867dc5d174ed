import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Whether a request carries the master key in `x-functions-key`. Hashing first makes the comparison's time even. */
export function holdsKey(request: IncomingMessage, masterKey: string): boolean {
  const given = request.headers['x-functions-key'];
  return typeof given === 'string' && timingSafeEqual(sha256(given), sha256(masterKey));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
