import { z } from 'zod';
import { toConnectionName, toOrgId, toUserId } from '../../domain/ids.ts';
import type { RefreshBatch } from '../../usecases/refresh/sweep.ts';

const batchSchema = z.strictObject({
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
    }),
  ),
});

/** A batch as a queue message. It names grants and holds nothing secret. */
export function batchMessage({ jobId, batch, trigger, startedAt, grants }: RefreshBatch): z.input<typeof batchSchema> {
  return {
    job_id: jobId,
    batch,
    trigger,
    started_at: startedAt,
    grants: grants.map((key) => ({
      connection_org: key.connectionOrg,
      org: key.org,
      connection: key.connection,
      user_id: key.userId,
    })),
  };
}

/** Reads a queue message. Throws for one that is not a batch: the queue parks it. */
export function readBatchMessage(message: unknown): RefreshBatch {
  const { job_id, started_at, grants, ...batch } = batchSchema.parse(message);
  return {
    ...batch,
    jobId: job_id,
    startedAt: started_at,
    grants: grants.map((key) => ({
      connectionOrg: key.connection_org,
      org: key.org,
      connection: key.connection,
      userId: key.user_id,
    })),
  };
}
