/** What may go wrong at a stand-in. Without a shape of the provider's own it is told as RFC 6749 section 5.2 has it. */
export const failures = [
  'invalid_client',
  'invalid_code',
  'invalid_refresh_token',
  'invalid_assertion',
  'redirect_mismatch',
  'invalid_request',
  'invalid_scope',
  'unsupported_grant_type',
  'authorization_pending',
  'access_denied',
  'expired_device_code',
  'invalid_token',
  'rate_limited',
  'unavailable',
] as const;
export type Failure = (typeof failures)[number];

export type Fields = Readonly<Record<string, unknown>>;

export interface StandInAnswer {
  readonly status: number;
  readonly body: Fields;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A person who may sign in at a stand-in. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

/** Tokens that were just issued. */
export interface Issued {
  readonly isRefresh: boolean;
  readonly now: number;
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly lifeSeconds: number;
  readonly scopes: readonly string[];
  /** Null: the client speaks for itself. */
  readonly person: Person | null;
}

/**
 * How a provider's stand-in differs from what the provider's entry says already: the shapes of its answers, and what it
 * does on the way. All of it is for development and tests: nothing here goes into a deployment.
 */
export interface StandIn {
  /** The provider's token answer, made of the one that RFC 6749 section 5.1 describes. */
  readonly tokens?: (standard: Fields, issued: Issued) => Fields;
  readonly tokenStatus?: number;
  /** Token answers state no life. Default: they do wherever tokens can be had anew. */
  readonly statesNoLife?: true;
  /** An answer to a refresh names the refresh token though it is the same. */
  readonly repeatsRefreshToken?: true;
  /** A refresh token is replaced when it is this old. Default: at each use. */
  readonly rotatesAfterSeconds?: number;
  /** Without this parameter there is no refresh token. */
  readonly offlineParameter?: {
    readonly request: 'authorization' | 'token';
    readonly name: string;
    readonly value: string;
  };
  /** A person may grant fewer scopes than were asked for. */
  readonly letsPeopleChooseScopes?: true;
  /** Answers are forms unless the request accepts JSON. */
  readonly formUnlessJsonAccepted?: true;
  readonly failures?: Partial<Readonly<Record<Failure, StandInAnswer>>>;
  /** What the redirect back carries beside code and state. */
  readonly callback?: Readonly<Record<string, string>>;
  /** Tokens begin like the provider's. */
  readonly tokenPrefixes?: { readonly access: string; readonly refresh: string };
  /** The answer of the device authorization endpoint, made of RFC 8628's. */
  readonly device?: (standard: Fields) => Fields;
  readonly userinfo?: (person: Person) => Fields;
  readonly revoked?: StandInAnswer;
}
