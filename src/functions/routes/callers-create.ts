import { z } from 'zod';
import { everyOrganisation, roles } from '../../domain/caller.ts';
import { orgIdPattern } from '../../domain/ids.ts';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { callerSummary, presentCaller } from '../schemas/caller.ts';
import { instant } from '../schemas/fields.ts';

export const callersCreate = defineRoute({
  name: 'callers-create',
  method: 'POST',
  path: '/oauth/callers',
  tag: 'Callers',
  summary: 'Make an API key. It is shown this once',
  permission: administer,
  request: {
    body: z
      .strictObject({
        name: z
          .string()
          .min(1)
          .max(200)
          .meta({ description: 'For people: what the key is for', example: 'nightly sync' }),
        org_ids: z
          .array(
            z.union([
              z.literal(everyOrganisation),
              z.string().regex(orgIdPattern, `must match ${orgIdPattern.source}`),
            ]),
          )
          .min(1)
          .max(100)
          .optional()
          .meta({ description: 'Left out: the organisation of this call', example: ['ORG123'] }),
        roles: z
          .array(z.enum(roles))
          .min(1)
          .meta({ example: ['reader'] }),
        expires_at: instant.nullish().meta({ description: 'Null: never', example: '2036-01-31T00:00:00.000Z' }),
      })
      .meta({ example: { name: 'nightly sync', org_ids: ['ORG123'], roles: ['reader'] } }),
  },
  responses: {
    201: {
      description: 'The caller and its key',
      schema: callerSummary
        .extend({ api_key: z.string().meta({ description: 'Shown this once' }) })
        .meta({ id: 'NewCaller' }),
    },
  },
  errors: ['validation_failed', 'organization_forbidden', 'role_required'],
  handle: async (broker, { body, org, caller }) => {
    const { record, apiKey } = await broker.callers.create(caller, {
      name: body.name,
      orgIds: [...new Set(body.org_ids ?? [org])],
      roles: [...new Set(body.roles)],
      expiresAt: body.expires_at ?? null,
    });
    return { status: 201, json: { ...presentCaller(record), api_key: apiKey.reveal() } };
  },
});
