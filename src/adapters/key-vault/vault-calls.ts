import { BrokerError } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';

interface SdkError {
  readonly name: string;
  readonly statusCode?: number;
  readonly code?: string;
  readonly response?: { readonly headers: { get(name: string): string | undefined } };
}

const maxTries = 3;
const pauseMs = 150;

function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as SdkError).statusCode : undefined;
}

export type VaultCall = <Result>(
  operation: string,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<Result>,
  /** What a status means that is no failure. */
  expected?: Readonly<Record<number, Result>>,
) => Promise<Result>;

/**
 * Makes calls that end after `timeoutMs`, all tries together. Without an answer, and after a 5xx, it tries again; a
 * `Retry-After` is passed on, not waited for: somebody waits for us. Failures are `vault_unavailable`, the SDK's own
 * error is left behind, as it holds the request.
 */
export function createVaultCall({
  clock,
  timeoutMs,
}: {
  readonly clock: Clock;
  readonly timeoutMs: number;
}): VaultCall {
  return async (operation, send, expected = {}) => {
    const abortSignal = AbortSignal.timeout(timeoutMs);
    for (let tries = 1; ; tries += 1) {
      try {
        return await send({ abortSignal });
      } catch (error) {
        const status = statusOf(error);
        if (status !== undefined && status in expected) return expected[status] as never;
        const isTransient = status === undefined || status >= 500;
        const mayRetry = isTransient && retryAfterSeconds(error) === undefined && isFromSdk(error);
        if (!mayRetry || tries >= maxTries || abortSignal.aborted) throw toVaultError(error, operation);
        await clock.sleep(pauseMs * tries);
      }
    }
  };
}

function toVaultError(error: unknown, operation: string): unknown {
  if (!isFromSdk(error)) return error;
  const facts = [error.name, error.statusCode, error.code].filter((fact) => fact !== undefined);
  const seconds = retryAfterSeconds(error);
  return new BrokerError('vault_unavailable', 'The key vault does not answer. Try again shortly.', {
    detail: `${operation}: ${facts.join(' ')}`,
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  });
}

function retryAfterSeconds(error: unknown): number | undefined {
  const given = error instanceof Error ? (error as SdkError).response?.headers.get('retry-after')?.trim() : undefined;
  return given !== undefined && /^\d{1,5}$/.test(given) ? Number(given) : undefined;
}

/** A mistake in our own code is not dressed up. */
function isFromSdk(error: unknown): error is SdkError {
  return (
    error instanceof Error && error.name !== 'Error' && error.name !== 'TypeError' && !(error instanceof BrokerError)
  );
}
