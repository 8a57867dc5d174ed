import type { Tokens } from './grant.ts';

/** What a token endpoint issued, or an administrator imported. Times are milliseconds since the epoch. */
export interface TokenSet {
  readonly tokens: Tokens;
  /** When the request was sent: the life of the token counts from here, the safe side. */
  readonly requestedAt: number;
  readonly expiresAt: number | null;
  /** What the provider said it granted. Null: it said nothing, so what was asked for (RFC 6749 section 5.1). */
  readonly scopes: string | null;
  /** It came of the client's own credentials, in place of a person's. */
  readonly isFallback?: boolean;
}

/**
 * The token set to keep when a refresh has answered: what the answer leaves out stays as it was, the refresh token
 * above all (RFC 6749 section 6).
 */
export function mergeTokens(before: Tokens | null, issued: TokenSet): TokenSet {
  const { tokens } = issued;
  return {
    ...issued,
    tokens: {
      ...tokens,
      refreshToken: tokens.refreshToken ?? before?.refreshToken ?? null,
      account: tokens.account ?? before?.account ?? null,
      metadata: { ...before?.metadata, ...tokens.metadata },
    },
  };
}
