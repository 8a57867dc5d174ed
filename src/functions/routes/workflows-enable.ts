import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { isoTime, workflowParams } from '../schemas/fields.ts';

export const workflowsEnable = defineRoute({
  name: 'workflows-enable',
  method: 'POST',
  path: '/oauth/workflows/{workflow_id}/enable',
  tag: 'Workflows',
  summary: 'Give a workflow its credentials back',
  permission: operate,
  audit: 'workflow.enable',
  request: { params: workflowParams, body: z.strictObject({}).meta({ example: {} }) },
  responses: {
    200: {
      description: 'It is enabled',
      schema: z.object({ message: z.string(), workflow_id: z.string(), enabled_at: isoTime }),
    },
  },
  errors: ['validation_failed'],
  handle: async (broker, { params, org }) => {
    const at = await broker.workflows.enable(org, params.workflow_id);
    const message = `The workflow "${params.workflow_id}" is enabled.`;
    return { status: 200, json: { message, workflow_id: params.workflow_id, enabled_at: new Date(at).toISOString() } };
  },
});
