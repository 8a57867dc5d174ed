/** Counts calls by key, minute by minute, in this process alone. Costs nothing but memory, and of that a bounded amount. */
export interface RateLimiter {
  /** Counts one call. Rejects with `rate_limited`, and when to come again, once the key has had its share of the minute. */
  count(key: string): Promise<void>;
}

/** What is counted, each by keys of its own. */
export interface RateLimits {
  /** Every call of a caller for an organisation. */
  readonly calls: RateLimiter;
  /** Authorizations that are begun, by organisation: each leaves rows behind for ten minutes. */
  readonly authorizations: RateLimiter;
  /** Calls that nobody known makes, by address. A caller who is known is never asked for this. */
  readonly failedAuthentications: RateLimiter;
}
