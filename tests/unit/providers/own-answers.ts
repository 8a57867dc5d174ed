/** What comes of a token answer. Left out: as the standard answer's. */
export interface Understood {
  readonly refresh?: string | null;
  readonly lifeSeconds?: number | null;
  readonly scopes?: string | null;
  /** At least this is kept. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly account?: string;
}

export type Reply = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>];

/** Answers in a provider's own shape. What is left out is answered as the standards say. */
export interface OwnAnswers {
  readonly issued?: readonly [body: unknown, understood: Understood, status?: number];
  /** To a refresh, without a refresh token. */
  readonly refreshed?: unknown;
  /** Of a grant that is dead. */
  readonly dead?: Reply;
  /** Of a client that the provider does not know. */
  readonly stranger?: Reply;
  readonly limited?: Reply;
}
