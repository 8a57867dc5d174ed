import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { isoTime, isPlainText, plainTextMessage, workflowParams } from '../schemas/fields.ts';

export const workflowsDisable = defineRoute({
  name: 'workflows-disable',
  method: 'POST',
  path: '/oauth/workflows/{workflow_id}/disable',
  tag: 'Workflows',
  summary: 'Take the credentials away from a workflow',
  permission: operate,
  audit: 'workflow.disable',
  request: {
    params: workflowParams,
    body: z
      .strictObject({
        reason: z
          .string()
          .min(1)
          .max(500)
          .refine(isPlainText, plainTextMessage)
          .nullish()
          .meta({ example: 'it floods the provider' }),
      })
      .meta({ example: { reason: 'it floods the provider' } }),
  },
  responses: {
    200: {
      description: 'It is disabled',
      schema: z.object({ message: z.string(), workflow_id: z.string(), disabled_at: isoTime }),
    },
  },
  errors: ['validation_failed'],
  handle: async (broker, { params, body, org, caller }) => {
    const by = { callerId: caller.id, reason: body.reason ?? null };
    const at = await broker.workflows.disable(org, params.workflow_id, by);
    const message = `The workflow "${params.workflow_id}" is disabled.`;
    return { status: 200, json: { message, workflow_id: params.workflow_id, disabled_at: new Date(at).toISOString() } };
  },
});
