/** Randomness from a cryptographically secure source. */
export interface Random {
  /** `bytes` random bytes in base64url without padding. */
  token(bytes: number): string;
  /** A short random id: 128 bits in lower-case hex. */
  id(): string;
  /** A number from 0 up to, not including, 1: for jitter only. */
  fraction(): number;
}
