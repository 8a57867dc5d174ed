import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, queryFlag } from '../schemas/fields.ts';
import { revokeMessage } from '../triggers/revoke-message.ts';

export const connectionsDelete = defineRoute({
  name: 'connections-delete',
  method: 'DELETE',
  path: '/oauth/connections/{connection_name}',
  tag: 'Connections',
  summary: 'Delete a connection with its tokens and its client secret',
  permission: administer,
  audit: 'connection.delete',
  usesQueue: true,
  request: {
    params: connectionParams,
    query: z.strictObject({
      confirm_disable_workflows: queryFlag(false).meta({ description: 'Disable the workflows that use it' }),
      revoke: z
        .enum(['true', 'false'])
        .optional()
        .transform((text) => (text === undefined ? undefined : text === 'true'))
        .meta({
          description:
            'Revoke the tokens at the provider, where it can. Left out: unless other connections may share them',
          example: 'true',
        }),
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
    const { disabledWorkflows, isRevoked, pendingIds } = await broker.deleteConnection({
      org,
      name: params.connection_name,
      caller,
      disableWorkflows: query.confirm_disable_workflows,
      revoke: query.revoke,
    });
    broker.audit.about({ detail: { disabled_workflows: disabledWorkflows.length, revoked: isRevoked } });
    const message = `The connection "${params.connection_name}" was deleted.`;
    const json = { message, disabled_workflows: disabledWorkflows, revoked: isRevoked };
    return { status: 200, json, queue: pendingIds.map(revokeMessage) };
  },
});
