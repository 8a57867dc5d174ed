import { z } from 'zod';
import { operate } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionParams, grantBody } from '../schemas/fields.ts';
import { revokeMessage } from '../triggers/revoke-message.ts';

const disconnectBody = grantBody
  .extend({
    revoke: z
      .boolean()
      .nullish()
      .meta({ description: 'Revoke them at the provider. Left out: unless other connections may share them' }),
  })
  .meta({ example: { user_id: null } });

export const connectionsDisconnect = defineRoute({
  name: 'connections-disconnect',
  method: 'POST',
  path: '/oauth/connections/{connection_name}/disconnect',
  tag: 'Connections',
  summary: 'Revoke and drop the tokens; the configuration stays',
  permission: operate,
  audit: 'grant.disconnect',
  usesQueue: true,
  request: { params: connectionParams, body: disconnectBody },
  responses: {
    200: {
      description: 'The tokens are gone here; `revoked` says whether the provider confirmed',
      schema: z.object({ message: z.string(), status: z.literal('not_connected'), revoked: z.boolean() }),
    },
  },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params, body, org, caller }) => {
    const userId = body.user_id ?? null;
    const { revocation } = await broker.disconnect({
      org,
      name: params.connection_name,
      caller,
      userId,
      revoke: body.revoke ?? undefined,
    });
    const { isRevoked, pendingId } = revocation;
    const later = ' The provider did not answer: it will be asked again to revoke them.';
    return {
      status: 200,
      json: {
        message: `The tokens were dropped.${pendingId === null ? '' : later}`,
        status: 'not_connected',
        revoked: isRevoked,
      },
      queue: pendingId === null ? [] : [revokeMessage(pendingId)],
    };
  },
});
