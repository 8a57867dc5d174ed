import { z } from 'zod';
import { defineRoute } from '../http/route.ts';
import { workflowParams } from '../schemas/fields.ts';

export const workflowDependenciesList = defineRoute({
  name: 'workflow-dependencies-list',
  method: 'GET',
  path: '/oauth/workflows/{workflow_id}/dependencies',
  tag: 'Workflows',
  summary: 'List the connections that a workflow depends on',
  permission: { kind: 'organisation', roles: ['operator', 'auditor', 'admin', 'reader'] },
  audit: 'none',
  request: { params: workflowParams },
  responses: {
    200: {
      description: 'Names of connections',
      schema: z.object({ workflow_id: z.string(), connections: z.array(z.string()) }),
    },
  },
  errors: ['validation_failed'],
  handle: async (broker, { params, org }) => {
    const found = await broker.dependencies.list(org, params.workflow_id);
    const connections = found.map(({ connection }) => connection);
    return { status: 200, json: { workflow_id: params.workflow_id, connections } };
  },
});
