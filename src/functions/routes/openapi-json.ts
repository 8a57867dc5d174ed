import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { openApiDocument } from '../openapi.ts';

/** The routes are given, for this route is one of them. */
export function openApiJson(routes: () => readonly Route[]): Route {
  return defineRoute({
    name: 'openapi-json',
    method: 'GET',
    path: '/openapi.json',
    tag: 'Documentation',
    summary: 'This API as an OpenAPI 3.1 document',
    permission: { kind: 'public' },
    audit: 'none',
    responses: { 200: { description: 'The document', schema: z.record(z.string(), z.unknown()) } },
    handle: async (broker) => ({
      status: 200,
      json: await openApiDocument(routes(), `${broker.policy.publicBaseUrl}/api`),
    }),
  });
}
