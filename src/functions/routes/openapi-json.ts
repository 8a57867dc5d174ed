import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { openApiDocument } from '../openapi.ts';

/** The routes are given, for this route is one of them. The document is made once: that takes long, and anyone asks. */
export function openApiJson(routes: () => readonly Route[]): Route {
  const documents = new Map<string, Promise<object>>();

  function documentFor(serverUrl: string): Promise<object> {
    const known = documents.get(serverUrl);
    if (known !== undefined) return known;
    const made = openApiDocument(routes(), serverUrl);
    documents.set(serverUrl, made);
    // A failure is not kept.
    made.catch(() => documents.delete(serverUrl));
    return made;
  }

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
      json: await documentFor(`${broker.policy.publicBaseUrl}/api`),
    }),
  });
}
