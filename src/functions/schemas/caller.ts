import { z } from 'zod';
import {
  type ApiKeyRecord,
  type Caller,
  type CallerRecord,
  callerKinds,
  everyOrganisation,
  keyIdPattern,
  roles,
} from '../../domain/caller.ts';
import { orgIdPattern } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import { instant, iso, isoTime, isPlainText, plainTextMessage } from './fields.ts';

const identity = {
  id: z.string().meta({ description: 'The id in an API key, or entra:{tenant id}:{object id}' }),
  kind: z.enum(callerKinds),
  name: z.string(),
  org_ids: z.array(z.string()),
  roles: z.array(z.enum(roles)),
  expires_at: isoTime.nullable(),
};

export const callerIdentity = z.object(identity).meta({ id: 'CallerIdentity' });
export const callerSummary = z
  .object({
    ...identity,
    created_at: isoTime,
    created_by: z.string(),
    last_used_at: isoTime.nullable().meta({ description: 'Of an API key. Written once a day at most' }),
    rotated_to: z.string().nullable().meta({ description: 'The id of the API key that took its place' }),
    tenant_id: z.string().nullable().meta({ description: 'Of an Entra principal' }),
    object_id: z.string().nullable().meta({ description: 'Of an Entra principal' }),
  })
  .meta({ id: 'CallerSummary' });

/** An API key just made, or an Entra principal just registered. */
export const newCaller = callerSummary
  .extend({ api_key: z.string().nullable().meta({ description: 'Shown this once. Null for an Entra principal' }) })
  .meta({ id: 'NewCaller' });

export const keyIdParam = z
  .string()
  .regex(keyIdPattern, 'must be the id of an API key')
  .meta({ description: 'The id of an API key', example: '0123456789abcdef0123456789abcdef' });

/** What keys and principals have in common when they are made. */
export const callerFields = {
  name: z
    .string()
    .min(1)
    .max(200)
    .refine(isPlainText, plainTextMessage)
    .meta({ description: 'For people: what the caller is for', example: 'nightly sync' }),
  org_ids: z
    .array(z.union([z.literal(everyOrganisation), z.string().regex(orgIdPattern, `must match ${orgIdPattern.source}`)]))
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'Left out: the organisation of this call', example: ['ORG123'] }),
  expires_at: instant.nullish().meta({ description: 'Null: never', example: '2036-01-31T00:00:00.000Z' }),
};

export function presentIdentity(caller: Caller): z.input<typeof callerIdentity> {
  const { id, kind, name, orgIds, roles: held, expiresAt } = caller;
  return { id, kind, name, org_ids: [...orgIds], roles: [...held], expires_at: iso(expiresAt) };
}

export function presentCaller(record: CallerRecord): z.input<typeof callerSummary> {
  const isKey = record.kind === 'api_key';
  return {
    ...presentIdentity(record),
    created_at: new Date(record.createdAt).toISOString(),
    created_by: record.createdBy,
    last_used_at: isKey ? iso(record.lastUsedAt) : null,
    rotated_to: isKey ? record.rotatedTo : null,
    tenant_id: isKey ? null : record.tenantId,
    object_id: isKey ? null : record.objectId,
  };
}

/** The one place where an API key leaves. */
export function presentNewKey(made: {
  readonly record: ApiKeyRecord;
  readonly apiKey: Secret;
}): z.input<typeof newCaller> {
  return { ...presentCaller(made.record), api_key: made.apiKey.reveal() };
}
