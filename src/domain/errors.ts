/**
 * What can go wrong at a provider's token endpoint, judged once, in `oauth/`. Nobody reads the provider's text
 * after that.
 */
export const providerErrorCodes = [
  'needs_reauthorization',
  'provider_rejected_client',
  'provider_rejected_request',
  'provider_rejected_token',
  'provider_unavailable',
  'provider_answer_invalid',
  'url_not_allowed',
] as const;

export type ProviderErrorCode = (typeof providerErrorCodes)[number];

/** Every code that an answer of the API can carry. `docs/errors.md` explains each; `functions/` gives each a status. */
export const errorCodes = [
  'validation_failed',
  'organization_required',
  'authorization_not_applicable',
  'exchange_not_applicable',
  'return_url_not_allowed',
  'workflows_depend',
  'transaction_invalid',
  'callback_rejected',
  'unauthenticated',
  'organization_forbidden',
  'role_required',
  'workflow_disabled',
  'connection_not_found',
  'connect_link_invalid',
  'dependency_not_found',
  'caller_not_found',
  'provider_not_found',
  'job_not_found',
  'route_not_found',
  'method_not_allowed',
  'connection_exists',
  'caller_exists',
  'caller_rotated',
  'length_required',
  'connection_changed',
  'payload_too_large',
  'rate_limited',
  'tokens_too_large',
  'connection_not_ready',
  'refresh_in_progress',
  'token_life_too_short',
  'scopes_missing',
  'grant_unreadable',
  'provider_paused',
  'misconfigured',
  'storage_unavailable',
  'vault_unavailable',
  'identity_keys_unavailable',
  'audit_unavailable',
  'internal_error',
  ...providerErrorCodes,
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetail {
  readonly path: string;
  readonly message: string;
}

export interface BrokerErrorOptions {
  /** For the log only: never a token or a secret, never shown to a caller. */
  readonly detail?: string;
  readonly details?: readonly ErrorDetail[];
  /** Fields that the contract adds to this error's answer, in wire form. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds?: number;
  /** The request was sent, and no answer says what it did. */
  readonly isOutcomeUnknown?: boolean;
  readonly cause?: unknown;
}

/** An expected failure: a code, a message for the caller, and a detail for the log. */
export class BrokerError extends Error {
  override readonly name = 'BrokerError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;
  readonly details: readonly ErrorDetail[] | undefined;
  readonly extra: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly isOutcomeUnknown: boolean;

  constructor(code: ErrorCode, publicMessage: string, options: BrokerErrorOptions = {}) {
    super(publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
    this.details = options.details;
    this.extra = options.extra;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.isOutcomeUnknown = options.isOutcomeUnknown ?? false;
  }
}

/** Whether an error is a `BrokerError` with one of the codes given. */
export function hasCode<C extends ErrorCode>(
  error: unknown,
  ...codes: readonly C[]
): error is BrokerError & { code: C } {
  return error instanceof BrokerError && (codes as readonly ErrorCode[]).includes(error.code);
}
