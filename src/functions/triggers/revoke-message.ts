import { z } from 'zod';

const revokeSchema = z.strictObject({ kind: z.literal('revoke'), id: z.string() });

/** A revocation as a queue message: where it lies. Tokens are never in a queue. */
export function revokeMessage(id: string): z.input<typeof revokeSchema> {
  return { kind: 'revoke', id };
}

/** Reads a queue message. Throws for one that is not a revocation: the queue parks it. */
export function readRevokeMessage(message: unknown): string {
  return revokeSchema.parse(message).id;
}
