import { z } from 'zod';
import {
  type ConnectionName,
  connectionNamePattern,
  type UserId,
  userIdMaxLength,
  type WorkflowId,
  workflowIdPattern,
} from '../../domain/ids.ts';

/** Text that rows are named by or that is hashed for the audit log: what storage gives back must be what was sent. */
export function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}

export const plainTextMessage = 'must be well-formed Unicode without control characters';

export const connectionName = z
  .string()
  .regex(connectionNamePattern, `must match ${connectionNamePattern.source}`)
  .transform((text) => text as ConnectionName)
  .meta({ description: 'The name of a connection', example: 'crm' });

export const workflowId = z
  .string()
  .regex(workflowIdPattern, `must match ${workflowIdPattern.source}`)
  .transform((text) => text as WorkflowId)
  .meta({ description: 'The id of a workflow', example: 'nightly-sync' });

export const userId = z
  .string()
  .min(1)
  .max(userIdMaxLength)
  .refine(isPlainText, plainTextMessage)
  .transform((text) => text as UserId)
  .meta({
    description: 'Your own id of a user, for a grant of their own. Without it: the organisation’s grant',
    example: 'user-17',
  });

export const connectionParams = z.strictObject({ connection_name: connectionName });
export const workflowParams = z.strictObject({ workflow_id: workflowId });

export const queryFlag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true')
    .meta({ example: fallback ? 'true' : 'false' });

export const pageQuery = {
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, 'must be a number from 1 to 100')
    .default('50')
    .transform(Number)
    .meta({ description: 'At most this many, 1 to 100', example: '50' }),
  continuation: z
    .string()
    .min(1)
    .max(2048)
    .optional()
    .meta({ description: 'Where the last page ended: its `continuation`', example: 'continuation-of-the-last-page' }),
};

export const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

/** A time of the domain in its wire form. */
export function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

export const isoTime = z.string().meta({ format: 'date-time', example: '2026-01-31T09:30:00.000Z' });

/** The body of calls about one grant. */
export const grantBody = z.strictObject({ user_id: userId.nullish() }).meta({ example: { user_id: null } });

/** Which job is asked for. */
export const jobIdQuery = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,80}$/, 'must be a job_id')
  .optional()
  .meta({ description: 'Left out: the newest job', example: '8233234567890-0123456789abcdef0123456789abcdef' });
