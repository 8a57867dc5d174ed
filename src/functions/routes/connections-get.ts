import { inspect } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionDetail } from '../schemas/connection.ts';
import { connectionParams } from '../schemas/fields.ts';
import { detailAnswer } from './detail-answer.ts';

export const connectionsGet = defineRoute({
  name: 'connections-get',
  method: 'GET',
  path: '/oauth/connections/{connection_name}',
  tag: 'Connections',
  summary: 'Read a connection: the organisation’s own, else the one that GLOBAL shares',
  permission: inspect,
  audit: 'none',
  request: { params: connectionParams },
  responses: { 200: { description: 'The connection, with an ETag for If-Match', schema: connectionDetail } },
  errors: ['validation_failed', 'connection_not_found'],
  handle: async (broker, { params, org }) => {
    const stored = await broker.getConnection({ org, name: params.connection_name });
    return detailAnswer(broker, stored, org);
  },
});
