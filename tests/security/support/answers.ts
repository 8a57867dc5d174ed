import type { Result } from '../../support/test-broker.ts';

/** What differs from one answer to the next though nothing is different. */
const passing = ['x-correlation-id', 'date', 'connection', 'keep-alive', 'content-length'];

/** An answer as far as it says anything: status, headers and body, without correlation id and times. */
export function essenceOf({ status, headers, text }: Result): string {
  const id = headers.get('x-correlation-id') ?? '';
  const kept = [...headers].filter(([name]) => !passing.includes(name)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const timeless = text.replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>');
  return JSON.stringify([status, kept, id === '' ? timeless : timeless.replaceAll(id, '<id>')]);
}

/** Requests to the tables without what the audit log writes, of which a refusal leaves a record as well. */
export function withoutAudit(lines: readonly string[]): readonly string[] {
  return lines.filter((line) => !/^(POST|PUT|PATCH|MERGE) \S*OAuthAudit(\(|\?|$)/.test(line));
}
