import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { exportDocument, mostImported, presentExport } from '../schemas/connection-export.ts';
import { pageQuery } from '../schemas/fields.ts';

export const exportConnections = defineRoute({
  name: 'export',
  method: 'GET',
  path: '/oauth/export',
  tag: 'Operations',
  summary: 'Export the organisation’s connections, without secrets and tokens',
  permission: administer,
  audit: 'connections.export',
  request: {
    query: z.strictObject({
      limit: z
        .string()
        .regex(/^([1-9]\d?|1\d\d|200)$/, `must be a number from 1 to ${mostImported}`)
        .default(`${mostImported}`)
        .transform(Number)
        .meta({ description: `At most this many, 1 to ${mostImported}: as many as an import takes`, example: '200' }),
      continuation: pageQuery.continuation,
    }),
  },
  responses: { 200: { description: 'One page, which can be imported as it is', schema: exportDocument } },
  errors: ['validation_failed'],
  handle: async (broker, { query, org }) => {
    const { items, continuation } = await broker.exportConnections(org, {
      limit: query.limit,
      continuation: query.continuation ?? null,
    });
    const connections = items.map(({ connection }) => presentExport(connection));
    const json = {
      version: 1,
      org_id: org,
      exported_at: new Date(broker.clock.now()).toISOString(),
      count: connections.length,
      continuation,
      connections,
    };
    const name = `attachment; filename="bowline-${org}.json"`;
    return { status: 200, json, headers: { 'content-disposition': name } };
  },
});
