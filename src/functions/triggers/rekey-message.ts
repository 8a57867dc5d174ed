import { z } from 'zod';
import type { RekeyStep } from '../../usecases/rekey/start-rekey.ts';

const rekeySchema = z.strictObject({
  kind: z.literal('rekey'),
  job_id: z.string(),
  step: z.number().int().nonnegative(),
});

/** A step of a rekey job as a queue message. */
export function rekeyMessage({ jobId, step }: RekeyStep): z.input<typeof rekeySchema> {
  return { kind: 'rekey', job_id: jobId, step };
}

/** Reads a queue message. Throws for one that is not a step of a rekey job: the queue parks it. */
export function readRekeyMessage(message: unknown): RekeyStep {
  const { job_id, step } = rekeySchema.parse(message);
  return { jobId: job_id, step };
}
