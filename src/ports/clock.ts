/** What time it is. Adapters correct it by storage's clock, so that a machine whose clock is off does no harm. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after `milliseconds`. */
  sleep(milliseconds: number): Promise<void>;
}
