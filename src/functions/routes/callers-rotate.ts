import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { keyIdParam, newCaller, presentNewKey } from '../schemas/caller.ts';

const daySeconds = 24 * 3600;

export const callersRotate = defineRoute({
  name: 'callers-rotate',
  method: 'POST',
  path: '/oauth/callers/{id}/rotate',
  tag: 'Callers',
  summary: 'Make a key in place of another, which goes on working for a while',
  permission: administer,
  audit: 'caller.rotate',
  request: {
    params: z.strictObject({ id: keyIdParam }),
    body: z
      .strictObject({
        overlap_seconds: z
          .int()
          .min(0)
          .max(30 * daySeconds)
          .default(daySeconds)
          .meta({ description: 'How long the old key goes on working, never beyond its own end', example: 86_400 }),
      })
      .meta({ example: { overlap_seconds: 86_400 } }),
  },
  responses: {
    201: { description: 'The new key: same organisations, roles and end as the old one', schema: newCaller },
  },
  errors: ['validation_failed', 'organization_forbidden', 'role_required', 'caller_not_found', 'caller_rotated'],
  handle: async (broker, { params, body, org, caller }) => {
    const rotation = { org, keyId: params.id, overlapSeconds: body.overlap_seconds };
    const made = await broker.callers.rotate(caller, rotation);
    broker.audit.about({ detail: { made: made.record.id } });
    return { status: 201, json: presentNewKey(made) };
  },
});
