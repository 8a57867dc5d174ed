import { z } from 'zod';
import type { ErrorDetail } from '../../domain/errors.ts';
import type { ConnectionName, OrgId } from '../../domain/ids.ts';
import type { Broker } from '../../usecases/broker.ts';
import type { ImportedConnection } from '../../usecases/connections/import-connections.ts';
import { detailsOf } from '../http/read-request.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { importDocument } from '../schemas/connection-export.ts';
import { createBody, newConnectionOf } from '../schemas/connection-input.ts';
import { queryFlag } from '../schemas/fields.ts';

const importResult = z.object({
  connection_name: z.string().nullable(),
  result: z.enum(['created', 'exists', 'invalid', 'failed']).meta({
    description: 'In a dry run created means that it would be. failed: not the row’s fault, it may be tried again',
  }),
  error: z.string().nullable(),
  message: z.string().nullable(),
  details: z.array(z.object({ path: z.string(), message: z.string() })),
});

type ImportResult = z.input<typeof importResult>;

export const importConnections = defineRoute({
  name: 'import',
  method: 'POST',
  path: '/oauth/import',
  tag: 'Operations',
  summary: 'Create many connections from an export; first check it with dry_run=true',
  permission: administer,
  audit: 'connections.import',
  request: {
    query: z.strictObject({
      dry_run: queryFlag(false).meta({ description: 'Check everything and write nothing', example: 'true' }),
    }),
    body: importDocument,
  },
  responses: {
    200: {
      description: 'What became of each row, in their order',
      schema: z.object({
        dry_run: z.boolean(),
        created: z.number(),
        results: z.array(importResult),
      }),
    },
  },
  errors: ['validation_failed'],
  handle: async (broker, { body, query, org, caller }) => {
    const parsed = body.connections.map((row) => ({ row, ...createBody.safeParse(row) }));
    const rows = parsed.flatMap(({ data }) =>
      data === undefined ? [] : [newConnectionOf(data, { org, callerId: caller.id, connect: false })],
    );
    const done = [...(await broker.importConnections({ rows, isDryRun: query.dry_run }))];
    const results = parsed.map(({ row, error }): ImportResult => {
      if (error !== undefined) return malformed(row, error.issues.flatMap(detailsOf));
      return present(done.shift());
    });
    const made = results.filter(({ result }) => result === 'created');
    broker.audit.about({ detail: { dry_run: query.dry_run, rows: results.length, created: made.length } });
    if (!query.dry_run) await Promise.all(made.map(({ connection_name: name }) => recordCreated(broker, org, name)));
    return { status: 200, json: { dry_run: query.dry_run, created: made.length, results } };
  },
});

function recordCreated({ audit }: Broker, org: OrgId, name: string | null): Promise<void> {
  const connection = name as ConnectionName | null;
  return audit.recordFor({ action: 'connection.create', outcome: 'success', org, connection, userId: null });
}

function present(imported: ImportedConnection | undefined): ImportResult {
  if (imported === undefined) throw new TypeError('a row without a result');
  const { name, result, code, message, details } = imported;
  return { connection_name: name, result, error: code, message, details: [...details] };
}

function malformed(row: unknown, details: ErrorDetail[]): ImportResult {
  const named = typeof row === 'object' && row !== null && 'connection_name' in row ? row.connection_name : null;
  return {
    connection_name: typeof named === 'string' ? named.slice(0, 100) : null,
    result: 'invalid',
    error: 'validation_failed',
    message: details.map(({ path, message }) => `${path}: ${message}`).join('; '),
    details,
  };
}
