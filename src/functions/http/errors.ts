import { z } from 'zod';
import { BrokerError, errorCodes } from '../../domain/errors.ts';
import { errorPage } from '../pages/error-page.ts';
import type { Answer } from './route.ts';
import { statusOf } from './status.ts';

export const errorSchema = z
  .object({
    error: z.enum(errorCodes).meta({ description: 'What went wrong. docs/errors.md has an entry for each.' }),
    message: z.string(),
    details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
    correlation_id: z.string(),
  })
  .meta({ id: 'Error', description: 'The form of every error. Some errors carry more fields.' });

/** When to come again, where what is unavailable did not say: a service that is down must not be asked at once. */
const usualWaitSeconds = 5;

/** An error as an answer. What is not a `BrokerError` becomes `internal_error`, without a word about its cause. */
export function answerError(
  error: unknown,
  context: { readonly correlationId: string; readonly isPage: boolean },
): Answer {
  const known = error instanceof BrokerError ? error : new BrokerError('internal_error', 'Something went wrong.');
  const status = statusOf[known.code];
  const headers: Record<string, string> = {};
  const wait = known.retryAfterSeconds ?? (known.code.endsWith('_unavailable') ? usualWaitSeconds : undefined);
  if (wait !== undefined) headers['retry-after'] = String(Math.ceil(wait));
  if (status === 401) headers['www-authenticate'] = 'Bearer';
  if (status === 405) headers.allow = String(known.extra?.allowed_methods);
  if (context.isPage) {
    const page = errorPage(known.message, context.correlationId);
    return { status, html: page.html, headers: { ...headers, ...page.headers } };
  }
  const { code, message, details, extra } = known;
  const json = { error: code, message, ...(details && { details }), ...extra, correlation_id: context.correlationId };
  return { status, headers, json };
}
