import { invalidContinuation } from './storage-errors.ts';
import type { Query, Row, Table } from './table.ts';

const longestContinuation = 4096;

export interface PageRequest {
  readonly limit: number;
  readonly continuation: string | null;
}

/**
 * Collects a page of `limit` rows, however short the service's own pages are. Throws `validation_failed` for a
 * continuation that this function has not given.
 */
export async function collectPage(
  table: Table,
  query: Query & { readonly partitionKey: string },
  { limit, continuation }: PageRequest,
): Promise<{ readonly rows: readonly Row[]; readonly continuation: string | null }> {
  const rows: Row[] = [];
  let next = continuation === null ? undefined : toServiceToken(continuation);
  do {
    const page = await table.page({ ...query, pageSize: limit - rows.length, continuation: next });
    rows.push(...page.rows);
    next = page.continuation;
  } while (next !== undefined && rows.length < limit);
  return { rows, continuation: toContinuation(next) };
}

/**
 * Goes through a table page by page, from where an earlier page said that the next one begins. Throws
 * `validation_failed` for a cursor that this function has not given.
 */
export async function* walkTable(
  table: Table,
  query: Query,
  start: string | null,
  { limit }: { readonly limit?: number } = {},
): AsyncGenerator<{ readonly rows: readonly Row[]; readonly cursor: string | null }> {
  let cursor = start;
  do {
    const page = await table.page({
      ...query,
      ...(limit !== undefined && { pageSize: limit }),
      continuation: cursor === null ? undefined : toServiceToken(cursor),
    });
    cursor = toContinuation(page.continuation);
    yield { rows: page.rows, cursor };
  } while (cursor !== null);
}

/** The service's own token in the form in which it leaves the broker. */
export function toContinuation(serviceToken: string | undefined): string | null {
  return serviceToken === undefined ? null : Buffer.from(serviceToken).toString('base64url');
}

/**
 * The service's token is itself base64 of JSON: both layers are checked before it goes into a request. Throws
 * `validation_failed`.
 */
export function toServiceToken(continuation: string): string {
  const token = Buffer.from(continuation, 'base64url').toString();
  if (continuation.length > longestContinuation || !isServiceToken(token)) throw invalidContinuation();
  return token;
}

function isServiceToken(token: string): boolean {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token)) return false;
  try {
    const keys: unknown = JSON.parse(Buffer.from(token, 'base64').toString());
    if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) return false;
    const { nextPartitionKey, nextRowKey, ...others } = keys as Record<string, unknown>;
    return (
      typeof nextPartitionKey === 'string' &&
      (nextRowKey === undefined || typeof nextRowKey === 'string') &&
      Object.keys(others).length === 0
    );
  } catch {
    return false;
  }
}
