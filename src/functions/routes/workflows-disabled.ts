import { z } from 'zod';
import { inspect } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { isoTime } from '../schemas/fields.ts';

const disabledWorkflow = z
  .object({
    workflow_id: z.string(),
    org_id: z.string(),
    disabled_reason: z.string(),
    disabled_at: isoTime,
    disabled_by: z.string(),
    related_oauth_connection: z.string().nullable(),
  })
  .meta({ id: 'DisabledWorkflow' });

export const workflowsDisabled = defineRoute({
  name: 'workflows-disabled',
  method: 'GET',
  path: '/oauth/workflows/disabled',
  tag: 'Workflows',
  summary: 'List the workflows that get no credentials',
  permission: inspect,
  audit: 'none',
  responses: {
    200: { description: 'All of the organisation', schema: z.object({ workflows: z.array(disabledWorkflow) }) },
  },
  handle: async (broker, { org }) => {
    const disabled = await broker.workflows.listDisabled(org);
    const workflows = disabled.map((workflow) => ({
      workflow_id: workflow.workflowId,
      org_id: workflow.org,
      disabled_reason: workflow.reason,
      disabled_at: new Date(workflow.disabledAt).toISOString(),
      disabled_by: workflow.disabledBy,
      related_oauth_connection: workflow.connection,
    }));
    return { status: 200, json: { workflows } };
  },
});
