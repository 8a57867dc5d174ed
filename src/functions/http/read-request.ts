import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import { BrokerError, type ErrorDetail } from '../../domain/errors.ts';
import type { Route, RouteInput } from './route.ts';

export const maxBodyBytes = 256 * 1024;

/** Reads and checks everything a route takes. Throws `validation_failed` with the path of each fault. */
export async function readRequest(route: Route, request: HttpRequest): Promise<RouteInput<unknown, unknown, unknown>> {
  const shapes = route.request ?? {};
  return {
    params: parse(shapes.params, { ...request.params }),
    query: parse(shapes.query, Object.fromEntries(request.query)),
    body: shapes.body === undefined ? undefined : parse(shapes.body, await readJson(request)),
    raw: request,
  };
}

/**
 * Refuses what the platform cannot deliver or nobody should send: a chunked body arrives empty, so it is refused
 * rather than taken for nothing. Throws `length_required` or `payload_too_large`.
 */
export function assertDeliverable(request: HttpRequest): void {
  if (/chunked/i.test(request.headers.get('transfer-encoding') ?? '')) {
    throw new BrokerError('length_required', 'Send the body with a Content-Length: a chunked body cannot be read.');
  }
  if (Number(request.headers.get('content-length') ?? 0) > maxBodyBytes) throw payloadTooLarge();
}

async function readJson(request: HttpRequest): Promise<unknown> {
  const text = await request.text();
  if (Buffer.byteLength(text) > maxBodyBytes) throw payloadTooLarge();
  if (text === '') return {};
  if (!/^application\/json\s*(;|$)/i.test(request.headers.get('content-type') ?? '')) {
    throw invalid([{ path: 'Content-Type', message: 'must be application/json' }]);
  }
  try {
    return JSON.parse(text, refusePrototype);
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    throw invalid([{ path: '', message: 'the body is not well-formed JSON' }]);
  }
}

/** A schema of free names leaves this one out without a word. */
function refusePrototype(name: string, value: unknown): unknown {
  if (name !== '__proto__') return value;
  throw invalid([{ path: name, message: 'is not a known field' }]);
}

function parse(shape: z.ZodType | undefined, given: unknown): unknown {
  if (shape === undefined) return undefined;
  const parsed = shape.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap(detailsOf));
}

/** What is wrong with a field, by its path in the wire form. */
export function detailsOf(issue: z.core.$ZodIssue): ErrorDetail[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: path === '' ? key : `${path}.${key}`, message: 'is not a known field' }));
}

function invalid(details: readonly ErrorDetail[]): BrokerError {
  const text = details.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new BrokerError('validation_failed', text, { details });
}

function payloadTooLarge(): BrokerError {
  return new BrokerError('payload_too_large', `The body is larger than ${maxBodyBytes / 1024} KB.`);
}
