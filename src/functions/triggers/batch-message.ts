import { z } from 'zod';
import { toConnectionName, toOrgId, toUserId } from '../../domain/ids.ts';
import type { RefreshBatch } from '../../usecases/refresh/sweep.ts';

const batchSchema = z.strictObject({
  kind: z.literal('refresh'),
  job_id: z.string(),
  batch: z.number().int().nonnegative(),
  trigger: z.enum(['automatic', 'manual']),
  started_at: z.number(),
  grants: z.array(
    z.strictObject({
      connection_org: z.string().transform((text) => toOrgId(text)),
      org: z.string().transform((text) => toOrgId(text)),
      connection: z.string().transform((text) => toConnectionName(text)),
      user_id: z
        .string()
        .transform((text) => toUserId(text))
        .nullable(),
      at: z.number().nullable().default(null),
    }),
  ),
});

/** A batch as a queue message. It names grants and holds nothing secret. */
export function batchMessage({ jobId, batch, trigger, startedAt, grants }: RefreshBatch): z.input<typeof batchSchema> {
  return {
    kind: 'refresh',
    job_id: jobId,
    batch,
    trigger,
    started_at: startedAt,
    grants: grants.map(({ key, at }) => ({
      connection_org: key.connectionOrg,
      org: key.org,
      connection: key.connection,
      user_id: key.userId,
      at,
    })),
  };
}

/** Reads a queue message. Throws for one that is not a batch: the queue parks it. */
export function readBatchMessage(message: unknown): RefreshBatch {
  const { kind: _kind, job_id, started_at, grants, ...batch } = batchSchema.parse(message);
  return {
    ...batch,
    jobId: job_id,
    startedAt: started_at,
    grants: grants.map(({ at, connection_org, user_id, ...key }) => ({
      at,
      key: { ...key, connectionOrg: connection_org, userId: user_id },
    })),
  };
}
