const longestWaitSeconds = 6 * 60 * 60;

/**
 * The wait that a `Retry-After` header asks for (RFC 9110 section 10.2.3), as seconds or as a date, at most 6 hours.
 * Undefined where there is none, where it cannot be read, or where it asks for no wait.
 */
export function retryAfterSeconds(header: string | null, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const seconds = /^\d+$/.test(text) ? Number(text) : secondsUntil(text, now);
  return seconds > 0 ? Math.min(Math.ceil(seconds), longestWaitSeconds) : undefined;
}

function secondsUntil(date: string, now: number): number {
  return /^[A-Za-z]{3,9}, .*GMT$/.test(date) ? (Date.parse(date) - now) / 1000 : Number.NaN;
}
