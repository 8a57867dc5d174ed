import { defaultShape, type ResponseShape } from './response-shape.ts';

/** Ten years: longer lives are as good as endless, and dates stay printable. */
const longestLifeMs = 10 * 365 * 24 * 60 * 60 * 1000;
/** Epoch times above this are in milliseconds: as seconds it is the year 5138. */
const firstEpochMs = 1e11;

/**
 * When an access token ends, in milliseconds since the epoch: `expires_in` counted from when the request was sent,
 * else an absolute `expires_at` (epoch seconds, epoch milliseconds or ISO 8601). Null where no end is stated, or none
 * that can be read. Never before `requestedAt`.
 */
export function expiryOf(
  stated: { readonly expires_in?: unknown; readonly expires_at?: unknown },
  requestedAt: number,
  shape: Pick<ResponseShape, 'nonPositiveLife'> = defaultShape,
): number | null {
  const lifeMs = lifeOf(stated.expires_in) ?? lifeUntil(stated.expires_at, requestedAt);
  if (lifeMs === undefined) return null;
  if (lifeMs <= 0) return shape.nonPositiveLife === 'endless' ? null : requestedAt;
  return requestedAt + Math.min(lifeMs, longestLifeMs);
}

function lifeOf(expiresIn: unknown): number | undefined {
  const seconds = toNumber(expiresIn);
  return seconds === undefined ? undefined : Math.floor(seconds) * 1000;
}

function lifeUntil(expiresAt: unknown, requestedAt: number): number | undefined {
  const epoch = toNumber(expiresAt);
  if (epoch !== undefined) return Math.floor(epoch > firstEpochMs ? epoch : epoch * 1000) - requestedAt;
  const isDate = typeof expiresAt === 'string' && /^\d{4}-\d\d-\d\dT/.test(expiresAt);
  const parsed = isDate ? Date.parse(expiresAt) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed - requestedAt;
}

function toNumber(value: unknown): number | undefined {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && /^\s*[+-]?\d+(\.\d+)?\s*$/.test(value));
  const number = isNumeric ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? number : undefined;
}
