import { BrokerError } from '../../domain/errors.ts';

/** Somebody else is at it, or we cannot be sure that nobody is. Nothing was sent to the provider. */
export function refreshInProgress(detail: string): BrokerError {
  return new BrokerError('refresh_in_progress', 'The token is being refreshed. Try again in two seconds.', {
    detail,
    retryAfterSeconds: 2,
  });
}
