import { z } from 'zod';
import { administer } from '../http/roles.ts';
import { defineRoute } from '../http/route.ts';
import { isPlainText, plainTextMessage, userId } from '../schemas/fields.ts';
import { revokeMessage } from '../triggers/revoke-message.ts';

const filter = (description: string, example: string) =>
  z.string().min(1).max(256).refine(isPlainText, plainTextMessage).nullish().meta({ description, example });

export const revoke = defineRoute({
  name: 'revoke',
  method: 'POST',
  path: '/oauth/revoke',
  tag: 'Operations',
  summary: 'Drop and revoke many grants at once, for an incident; first say what would be',
  permission: administer,
  audit: 'grants.revoke',
  usesQueue: true,
  request: {
    body: z
      .strictObject({
        connection_name: filter('Only grants through this connection', 'crm'),
        provider: filter('Only through connections of this provider of the catalogue', 'oidc'),
        user_id: userId.nullish().meta({ description: 'Only this user’s grants', example: 'user-17' }),
        created_by: filter('Only through connections that this caller made', 'key:0123456789abcdef'),
        dry_run: z.boolean().meta({ description: 'true: nothing is done', example: true }),
        limit: z
          .number()
          .int()
          .min(1)
          .max(50)
          .default(20)
          .meta({ description: 'At most this many grants', example: 20 }),
        continuation: z.string().min(1).max(4096).nullish().meta({
          description: 'Where the last call ended: its `continuation`',
          example: null,
        }),
      })
      .meta({ example: { connection_name: 'crm', dry_run: true } }),
  },
  responses: {
    200: {
      description: 'What was revoked, or would be. With a continuation there is more',
      schema: z.object({
        dry_run: z.boolean(),
        grants: z.array(
          z.object({
            connection_name: z.string(),
            connection_org_id: z.string(),
            org_id: z.string().meta({ description: 'The organisation in which the grant lies' }),
            user_id: z.string().nullable(),
            provider: z.string().nullable(),
            result: z.enum(['would_revoke', 'revoked', 'pending', 'dropped']).meta({
              description:
                'pending: dropped here, and the provider will be asked again. dropped: the provider cannot revoke it, or refused to',
            }),
          }),
        ),
        count: z.number(),
        continuation: z.string().nullable(),
      }),
    },
  },
  errors: ['validation_failed'],
  handle: async (broker, { body, org }) => {
    broker.audit.about({ detail: { dry_run: body.dry_run, ...filtersOf(body) } });
    const { grants, pendingIds, continuation } = await broker.bulkRevoke({
      org,
      connection: body.connection_name ?? null,
      provider: body.provider ?? null,
      userId: body.user_id ?? null,
      createdBy: body.created_by ?? null,
      isDryRun: body.dry_run,
      limit: body.limit,
      continuation: body.continuation ?? null,
    });
    broker.audit.about({ detail: { grants: grants.length } });
    const rows = grants.map(({ found: { connection }, org: grantOrg, userId: user, result }) => ({
      connection_name: connection.name,
      connection_org_id: connection.org,
      org_id: grantOrg,
      user_id: user,
      provider: connection.config.provider,
      result,
    }));
    const json = { dry_run: body.dry_run, grants: rows, count: rows.length, continuation };
    return { status: 200, json, queue: pendingIds.map(revokeMessage) };
  },
});

/** What was asked for, known also where the work breaks off. */
function filtersOf(body: { readonly [Name in (typeof filterNames)[number]]?: string | null | undefined }) {
  const given = filterNames.flatMap((name) => (body[name] ? [[name, body[name]] as const] : []));
  return Object.fromEntries(given);
}

const filterNames = ['connection_name', 'provider', 'user_id', 'created_by'] as const;
