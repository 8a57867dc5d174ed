import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionName, workflowId } from '../schemas/fields.ts';

export const workflowDependenciesRemove = defineRoute({
  name: 'workflow-dependencies-remove',
  method: 'DELETE',
  path: '/oauth/workflows/{workflow_id}/dependencies/{connection_name}',
  tag: 'Workflows',
  summary: 'Forget that a workflow depends on a connection',
  permission: operate,
  audit: 'workflow.release',
  request: { params: z.strictObject({ workflow_id: workflowId, connection_name: connectionName }) },
  responses: { 204: { description: 'Forgotten' } },
  errors: ['validation_failed', 'dependency_not_found'],
  handle: async (broker, { params, org }) => {
    await broker.dependencies.remove(org, params.workflow_id, params.connection_name);
    return { status: 204 };
  },
});
