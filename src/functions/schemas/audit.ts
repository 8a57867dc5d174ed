import { z } from 'zod';
import { type AuditRecord, auditActions } from '../../domain/audit.ts';
import { instant, isoTime, pageQuery } from './fields.ts';

export const auditRecord = z
  .object({
    id: z.string(),
    at: isoTime,
    action: z.string().meta({ description: 'What was done or tried', example: 'credential.read' }),
    outcome: z.string().meta({ description: '`success`, or the error code or status reason', example: 'success' }),
    count: z.number().meta({ description: 'How often, where several of a kind were counted' }),
    actor: z.object({ kind: z.string(), id: z.string(), name: z.string() }).meta({ description: 'Who' }),
    connection_name: z.string().nullable(),
    user_id: z.string().nullable(),
    correlation_id: z.string().nullable(),
    address: z.string().nullable().meta({ description: 'Where the call came from' }),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  })
  .meta({ id: 'AuditRecord' });

export const auditPage = z.object({
  records: z.array(auditRecord),
  count: z.number(),
  continuation: z.string().nullable(),
});

/** Which records. */
export const auditSpan = {
  from: instant.optional().meta({ description: 'From this time on', example: '2026-01-01T00:00:00.000Z' }),
  to: instant.optional().meta({ description: 'Before this time', example: '2026-02-01T00:00:00.000Z' }),
  action: z.enum(auditActions).optional().meta({ description: 'Only this action', example: 'credential.read' }),
  ...pageQuery,
};

/** Whose records a page holds is said by the call, so the organisation is not repeated. */
export function presentRecord(record: AuditRecord): z.input<typeof auditRecord> {
  const { id, at, action, outcome, count, actor, connection, userId, correlationId, address, detail } = record;
  return {
    id,
    at: new Date(at).toISOString(),
    action,
    outcome,
    count,
    actor: { ...actor },
    connection_name: connection,
    user_id: userId,
    correlation_id: correlationId,
    address,
    detail: { ...detail },
  };
}
