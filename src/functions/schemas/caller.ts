import { z } from 'zod';
import { type Caller, type CallerRecord, roles } from '../../domain/caller.ts';
import { iso, isoTime } from './fields.ts';

const identity = {
  id: z.string(),
  name: z.string(),
  org_ids: z.array(z.string()),
  roles: z.array(z.enum(roles)),
  expires_at: isoTime.nullable(),
};

export const callerIdentity = z.object(identity).meta({ id: 'CallerIdentity' });
export const callerSummary = z
  .object({ ...identity, created_at: isoTime, created_by: z.string() })
  .meta({ id: 'CallerSummary' });

export function presentIdentity({ id, name, orgIds, roles: held, expiresAt }: Caller): z.input<typeof callerIdentity> {
  return { id, name, org_ids: [...orgIds], roles: [...held], expires_at: iso(expiresAt) };
}

export function presentCaller(record: CallerRecord): z.input<typeof callerSummary> {
  return {
    ...presentIdentity(record),
    created_at: new Date(record.createdAt).toISOString(),
    created_by: record.createdBy,
  };
}
