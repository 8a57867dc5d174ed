import { z } from 'zod';
import { audit } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { auditPage, auditSpan, presentRecord } from '../schemas/audit.ts';
import { connectionParams } from '../schemas/fields.ts';

export const connectionsEvents = defineRoute({
  name: 'connections-events',
  method: 'GET',
  path: '/oauth/connections/{connection_name}/events',
  tag: 'Connections',
  summary: 'See the history of a connection in the organisation, also of one that was deleted',
  permission: audit,
  audit: 'none',
  request: { params: connectionParams, query: z.strictObject(auditSpan) },
  responses: {
    200: { description: 'One page. It may hold fewer than `limit`, and still have a continuation.', schema: auditPage },
  },
  errors: ['validation_failed'],
  handle: async (broker, { params, query, org }) => {
    const { items, continuation } = await broker.listAudit({
      org,
      from: query.from ?? null,
      to: query.to ?? null,
      connection: params.connection_name,
      callerId: null,
      action: query.action ?? null,
      limit: query.limit,
      continuation: query.continuation ?? null,
    });
    return { status: 200, json: { records: items.map(presentRecord), count: items.length, continuation } };
  },
});
