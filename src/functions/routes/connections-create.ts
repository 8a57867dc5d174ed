import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionDetail } from '../schemas/connection.ts';
import { createBody, newConnectionOf } from '../schemas/connection-input.ts';
import { queryFlag } from '../schemas/fields.ts';
import { detailAnswer } from './detail-answer.ts';

export const connectionsCreate = defineRoute({
  name: 'connections-create',
  method: 'POST',
  path: '/oauth/connections',
  tag: 'Connections',
  summary: 'Create a connection',
  permission: administer,
  audit: 'connection.create',
  request: {
    query: z.strictObject({
      connect: queryFlag(false).meta({ description: 'Get the first token at once, where no person is needed' }),
    }),
    body: createBody,
  },
  responses: { 201: { description: 'The connection, without its secrets', schema: connectionDetail } },
  errors: ['validation_failed', 'url_not_allowed', 'connection_exists', 'vault_unavailable'],
  handle: async (broker, { body, query, org, caller }) => {
    const request = newConnectionOf(body, { org, callerId: caller.id, connect: query.connect });
    const stored = await broker.createConnection(request);
    return detailAnswer(broker, stored, org, 201);
  },
});
