import { z } from 'zod';
import { assertForPlatform } from '../http/platform.ts';
import { audit } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { auditPage, auditSpan, presentRecord } from '../schemas/audit.ts';
import { connectionName, isPlainText, plainTextMessage, queryFlag } from '../schemas/fields.ts';

export const auditList = defineRoute({
  name: 'audit-list',
  method: 'GET',
  path: '/oauth/audit',
  tag: 'Audit',
  summary: 'See what was done and tried in the organisation, newest first',
  permission: audit,
  audit: 'none',
  request: {
    query: z.strictObject({
      ...auditSpan,
      connection: connectionName.optional(),
      caller: z
        .string()
        .min(1)
        .max(200)
        .refine(isPlainText, plainTextMessage)
        .optional()
        .meta({ description: 'Only what this caller did: its id', example: '0123456789abcdef' }),
      unknown_org: queryFlag(false).meta({
        description: 'What was tried without valid credentials, in no organisation; for platform callers',
      }),
    }),
  },
  responses: {
    200: { description: 'One page. It may hold fewer than `limit`, and still have a continuation.', schema: auditPage },
  },
  errors: ['validation_failed', 'organization_forbidden'],
  handle: async (broker, { query, org, caller }) => {
    if (query.unknown_org) assertForPlatform({ caller, org });
    const { items, continuation } = await broker.listAudit({
      org: query.unknown_org ? null : org,
      from: query.from ?? null,
      to: query.to ?? null,
      connection: query.connection ?? null,
      callerId: query.caller ?? null,
      action: query.action ?? null,
      limit: query.limit,
      continuation: query.continuation ?? null,
    });
    return { status: 200, json: { records: items.map(presentRecord), count: items.length, continuation } };
  },
});
