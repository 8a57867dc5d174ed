import { z } from 'zod';
import { connectionStatuses } from '../../domain/grant.ts';
import { inspect } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { connectionSummary, presentSummary } from '../schemas/connection.ts';
import { pageQuery, queryFlag } from '../schemas/fields.ts';

export const connectionsList = defineRoute({
  name: 'connections-list',
  method: 'GET',
  path: '/oauth/connections',
  tag: 'Connections',
  summary: 'List the organisation’s connections, and those that GLOBAL shares with it',
  permission: inspect,
  audit: 'none',
  request: {
    query: z.strictObject({
      include_global: queryFlag(true).meta({ description: 'Also those of GLOBAL' }),
      status: z
        .enum(connectionStatuses)
        .optional()
        .meta({ description: 'Only those with this status', example: 'completed' }),
      provider: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .meta({ description: 'Only those of this provider of the catalogue', example: 'github' }),
      search: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .meta({ description: 'Part of a name, a description or a tag', example: 'crm' }),
      ...pageQuery,
    }),
  },
  responses: {
    200: {
      description: 'One page. It may hold fewer than `limit` and still have a continuation.',
      schema: z.object({
        connections: z.array(connectionSummary),
        count: z.number(),
        continuation: z.string().nullable(),
      }),
    },
  },
  errors: ['validation_failed'],
  handle: async (broker, { query, org }) => {
    const { items, continuation } = await broker.listConnections({
      org,
      includeGlobal: query.include_global,
      status: query.status ?? null,
      provider: query.provider ?? null,
      search: query.search ?? null,
      limit: query.limit,
      continuation: query.continuation ?? null,
    });
    const connections = items.map((item) => presentSummary(item, broker.clock.now()));
    return { status: 200, json: { connections, count: connections.length, continuation } };
  },
});
