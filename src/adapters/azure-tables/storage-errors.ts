import { BrokerError } from '../../domain/errors.ts';

interface SdkError {
  readonly name: string;
  readonly statusCode?: number;
  readonly code?: string;
  readonly details?: { readonly odataError?: { readonly code?: string } };
  readonly response?: { readonly headers: { get(name: string): string | undefined } };
}

/** Statuses by which the service says that it takes a row neither now nor later. Nothing was written. */
const refusedStatuses: readonly (number | undefined)[] = [400, 413];

/** The cause of a failure that will be the same the next time. */
class RowRefused extends Error {
  override readonly name = 'RowRefused';
}

/** Whether storage has answered that it does not take what it was given. */
export function isRowRefused(error: unknown): boolean {
  return error instanceof BrokerError && error.cause instanceof RowRefused;
}

/** The status of the service's answer, or undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  return isSdkError(error) ? error.statusCode : undefined;
}

/** The service's own name for what went wrong: `RestError.code` is undefined on single operations. */
export function serviceCodeOf(error: unknown): string | undefined {
  return isSdkError(error) ? (error.details?.odataError?.code ?? error.code) : undefined;
}

/**
 * What a failed call means to the rest of the broker: `storage_unavailable`, after which nobody knows whether a write
 * was applied. The SDK's error is left behind: it holds the request with its signature and body. A mistake in our own
 * code is not dressed up.
 */
export function toStorageError(error: unknown, operation: string): Error {
  if (error instanceof BrokerError) return error;
  if (!isSdkError(error) || error.name === 'Error' || error.name === 'TypeError') {
    return error instanceof Error ? error : new Error(String(error));
  }
  const facts = [error.name, error.statusCode, serviceCodeOf(error)].filter((fact) => fact !== undefined);
  const seconds = retryAfterSeconds(error);
  return new BrokerError('storage_unavailable', 'Storage does not answer. Try again shortly.', {
    detail: `${operation}: ${facts.join(' ')}`,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
    ...(refusedStatuses.includes(error.statusCode) && { cause: new RowRefused(facts.join(' ')) }),
  });
}

/** For a continuation that no page has given. */
export function invalidContinuation(): BrokerError {
  const message = 'must be one that an earlier page gave';
  return new BrokerError('validation_failed', `continuation ${message}`, {
    details: [{ path: 'continuation', message }],
  });
}

function retryAfterSeconds(error: SdkError): number | undefined {
  const given = error.response?.headers.get('retry-after')?.trim();
  return given !== undefined && /^\d{1,5}$/.test(given) ? Number(given) : undefined;
}

function isSdkError(error: unknown): error is SdkError {
  return error instanceof Error;
}
