import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, queryFlag } from '../schemas/fields.ts';

export const connectionsDelete = defineRoute({
  name: 'connections-delete',
  method: 'DELETE',
  path: '/oauth/connections/{connection_name}',
  tag: 'Connections',
  summary: 'Delete a connection with its tokens and its client secret',
  permission: administer,
  audit: 'connection.delete',
  request: {
    params: connectionParams,
    query: z.strictObject({
      confirm_disable_workflows: queryFlag(false).meta({ description: 'Disable the workflows that use it' }),
      revoke: queryFlag(true).meta({ description: 'Also revoke the tokens at the provider, where it can' }),
    }),
  },
  responses: {
    200: {
      description: 'It is gone',
      schema: z.object({ message: z.string(), disabled_workflows: z.array(z.string()), revoked: z.boolean() }),
    },
  },
  errors: ['validation_failed', 'connection_not_found', 'workflows_depend'],
  handle: async (broker, { params, query, org, caller }) => {
    const { disabledWorkflows, isRevoked } = await broker.deleteConnection({
      org,
      name: params.connection_name,
      caller,
      disableWorkflows: query.confirm_disable_workflows,
      revoke: query.revoke,
    });
    broker.audit.about({ detail: { disabled_workflows: disabledWorkflows.length, revoked: isRevoked } });
    const message = `The connection "${params.connection_name}" was deleted.`;
    return { status: 200, json: { message, disabled_workflows: disabledWorkflows, revoked: isRevoked } };
  },
});
