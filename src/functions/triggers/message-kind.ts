import { z } from 'zod';

const kindSchema = z.object({ kind: z.enum(['rekey', 'device', 'revoke']) });

/** What a queue message says of itself. It may still be malformed. Undefined: a batch of a sweep, if anything. */
export function kindOf(message: unknown): 'rekey' | 'device' | 'revoke' | undefined {
  return kindSchema.safeParse(message).data?.kind;
}
