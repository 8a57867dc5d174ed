import { z } from 'zod';
import { defineRoute } from '../http/route.ts';
import { connectionName, isPlainText, plainTextMessage, workflowParams } from '../schemas/fields.ts';

export const workflowDependenciesAdd = defineRoute({
  name: 'workflow-dependencies-add',
  method: 'POST',
  path: '/oauth/workflows/{workflow_id}/dependencies',
  tag: 'Workflows',
  summary: 'Say that a workflow depends on a connection',
  permission: { kind: 'organisation', roles: ['reader', 'operator', 'admin'] },
  audit: 'workflow.depend',
  request: {
    params: workflowParams,
    body: z
      .strictObject({
        connection_name: connectionName,
        workflow_name: z
          .string()
          .min(1)
          .max(200)
          .refine(isPlainText, plainTextMessage)
          .nullish()
          .meta({ example: 'Nightly sync' }),
      })
      .meta({ example: { connection_name: 'crm', workflow_name: 'Nightly sync' } }),
  },
  responses: {
    201: {
      description: 'Noted',
      schema: z.object({ workflow_id: z.string(), workflow_name: z.string().nullable(), connection_name: z.string() }),
    },
  },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params, body, org }) => {
    const { workflowId, workflowName, connection } = await broker.dependencies.add({
      org,
      workflowId: params.workflow_id,
      workflowName: body.workflow_name ?? null,
      connection: body.connection_name,
    });
    return { status: 201, json: { workflow_id: workflowId, workflow_name: workflowName, connection_name: connection } };
  },
});
