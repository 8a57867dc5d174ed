import { z } from 'zod';
import { type CallerRecord, callerKinds, entraIdPattern, type Role, roles } from '../../domain/caller.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { callerFields, newCaller, presentCaller, presentNewKey } from '../schemas/caller.ts';

const entraId = z
  .string()
  .transform((text) => text.toLowerCase())
  .refine((text) => entraIdPattern.test(text), 'must be a GUID');

const fields = z.strictObject({
  ...callerFields,
  kind: z.enum(callerKinds).default('api_key').meta({ description: 'Left out: api_key', example: 'api_key' }),
  roles: z
    .array(z.enum(roles))
    .min(1)
    .optional()
    .meta({
      description:
        'Of a principal: the most that the app roles of its tokens can give; left out, your own roles. Needed for a key',
      example: ['reader'],
    }),
  tenant_id: entraId.optional().meta({
    description: 'For a principal: its tenant',
    example: '11111111-2222-4333-8444-555555555555',
  }),
  object_id: entraId.optional().meta({
    description: 'For a principal: the object id of a user or of a service principal (not of the app registration)',
    example: '66666666-7777-4888-9999-000000000000',
  }),
});

type Fields = z.output<typeof fields>;
type Common = Pick<Fields, 'name' | 'org_ids' | 'expires_at'>;
type CallerInput = Common &
  (
    | { readonly kind: 'api_key'; readonly roles: readonly Role[] }
    | {
        readonly kind: 'entra';
        readonly roles: readonly Role[] | undefined;
        readonly tenant_id: string;
        readonly object_id: string;
      }
  );

/** What one kind needs, the other must not have. */
function byKind({ kind, roles: held, tenant_id, object_id, ...common }: Fields, context: z.RefinementCtx): CallerInput {
  const refuse = (path: string, message: string) => {
    context.addIssue({ code: 'custom', path: [path], message });
    return z.NEVER;
  };
  if (kind === 'api_key') {
    if (tenant_id !== undefined) return refuse('tenant_id', 'is for principals of Entra only');
    if (object_id !== undefined) return refuse('object_id', 'is for principals of Entra only');
    return held === undefined ? refuse('roles', 'is needed') : { ...common, kind, roles: held };
  }
  if (tenant_id === undefined) return refuse('tenant_id', 'is needed');
  return object_id === undefined
    ? refuse('object_id', 'is needed')
    : { ...common, kind, roles: held, tenant_id, object_id };
}

export const callersCreate = defineRoute({
  name: 'callers-create',
  method: 'POST',
  path: '/oauth/callers',
  tag: 'Callers',
  summary: 'Make an API key, which is shown this once, or register a principal of Microsoft Entra',
  permission: administer,
  audit: 'caller.create',
  request: {
    body: fields.transform(byKind).meta({ example: { name: 'nightly sync', org_ids: ['ORG123'], roles: ['reader'] } }),
  },
  responses: { 201: { description: 'The caller, and the key where it is one', schema: newCaller } },
  errors: ['validation_failed', 'organization_forbidden', 'role_required', 'caller_exists'],
  handle: async (broker, { body, org, caller }) => {
    const common = {
      name: body.name,
      orgIds: [...new Set(body.org_ids ?? [org])],
      expiresAt: body.expires_at ?? null,
    };
    if (body.kind === 'entra') {
      const record = await broker.callers.register(caller, {
        ...common,
        tenantId: body.tenant_id,
        objectId: body.object_id,
        roles: body.roles && [...new Set(body.roles)],
      });
      broker.audit.about(factsOf(record));
      return { status: 201, json: { ...presentCaller(record), api_key: null } };
    }
    const made = await broker.callers.create(caller, { ...common, roles: [...new Set(body.roles)] });
    broker.audit.about(factsOf(made.record));
    return { status: 201, json: presentNewKey(made) };
  },
});

/** Who was made, and how much they may. */
function factsOf({ id, orgIds, roles: held }: CallerRecord) {
  return { detail: { made: id, made_for: orgIds.join(' ').slice(0, 500), made_roles: held.join(' ') } };
}
