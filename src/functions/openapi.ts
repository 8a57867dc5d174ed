import type { z } from 'zod';
import type { CreateDocumentOptions, ZodOpenApiOperationObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { ErrorCode } from '../domain/errors.ts';
import { errorSchema } from './http/errors.ts';
import type { Route, RouteResponse } from './http/route.ts';
import { statusOf } from './http/status.ts';

const organisationHeader = {
  name: 'X-Organization-Id',
  in: 'header' as const,
  required: false,
  description: 'Which of the caller’s organisations. Left out: the only one, or GLOBAL for a platform caller.',
  schema: { type: 'string' as const },
  example: 'ORG123',
};

const tagDescriptions: Readonly<Record<string, string>> = {
  Connections: 'What an administrator sets up once: provider, client and scopes, and the state of its tokens.',
  Authorization: 'How a person gives a connection access to their account.',
  Credentials: 'What a workflow asks for: a live access token.',
  Workflows: 'Which workflow uses which connection, and which get no credentials.',
  Operations: 'Refreshing many connections at once, and what came of it.',
  Audit: 'Who did what, and when: for auditors.',
  Providers: 'The catalogue: what Bowline knows of a provider, and what it leaves to fill in.',
  Callers: 'API keys, with their organisations and roles.',
  Health: 'Whether the broker runs, and whether it can reach what it needs.',
  Documentation: 'This contract, for machines and for people.',
};

/**
 * The API as an OpenAPI 3.1 document, made from the route table alone. The library is loaded at first use: most
 * processes never need it.
 */
export async function openApiDocument(routes: readonly Route[], serverUrl: string): Promise<object> {
  const { createDocument } = await import('zod-openapi');
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  const document = {
    openapi: '3.1.0' as const,
    info: {
      title: 'Bowline',
      version: '0.1.0',
      description: 'A broker for OAuth connections: set one up once, then get a live access token by its name.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: serverUrl }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({
      name,
      description: tagDescriptions[name] ?? name,
    })),
    security: [{ bearer: [] }, { apiKey: [] }],
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key of Bowline' } as const,
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same key' } as const,
      },
    },
    paths: paths as ZodOpenApiPathsObject,
  };
  return createDocument(document, { override: liftFromNullable });
}

/** What says something about a field is said of the field, not only of that one of its types which is not null. */
const liftFromNullable: NonNullable<CreateDocumentOptions['override']> = ({ jsonSchema, zodSchema }) => {
  const [inner] = jsonSchema.anyOf ?? [];
  if (zodSchema._zod.def.type !== 'nullable' || inner === undefined || '$ref' in inner) return;
  const { description, example, writeOnly } = inner;
  Object.assign(jsonSchema, defined({ description, example, writeOnly }), defined(jsonSchema));
};

function operationOf(route: Route): ZodOpenApiOperationObject {
  const { request, permission } = route;
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    ...(permission.kind === 'public' && { security: [] }),
    ...(permission.kind === 'organisation' && {
      description: `Takes one of the roles ${permission.roles.join(', ')}.`,
      parameters: [organisationHeader],
    }),
    ...(request && {
      requestParams: {
        ...(request.params && { path: request.params as z.ZodObject }),
        ...(request.query && { query: request.query as z.ZodObject }),
        ...(request.headers && { header: request.headers as z.ZodObject }),
      },
      ...(request.body && { requestBody: requestBodyOf(request.body) }),
    }),
    responses: { ...successes(route), ...failures(route) } as ZodOpenApiOperationObject['responses'],
  };
}

function defined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Only a body with a field that must be there must be there itself. */
function requestBodyOf(body: z.ZodType) {
  const example = body.meta()?.example;
  return {
    required: !body.safeParse({}).success,
    content: { 'application/json': { schema: body, ...(example !== undefined && { example }) } },
  };
}

function successes({ responses }: Route): Record<string, object> {
  return Object.fromEntries(Object.entries(responses).map(([status, response]) => [status, successOf(response)]));
}

function successOf({ description, schema, isPage }: RouteResponse): object {
  if (isPage) return { description, content: { 'text/html': { schema: { type: 'string' } } } };
  return { description, ...(schema && { content: { 'application/json': { schema } } }) };
}

function failures(route: Route): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorsOf(route)) byStatus.set(statusOf[code], [...(byStatus.get(statusOf[code]) ?? []), code]);
  const taken = new Set(Object.keys(route.responses).map(Number));
  const described = [...byStatus].filter(([status]) => !taken.has(status));
  return Object.fromEntries(
    described.map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\``).join(', '),
        content: route.isPage
          ? { 'text/html': { schema: { type: 'string' } } }
          : { 'application/json': { schema: errorSchema } },
      },
    ]),
  );
}

/** The errors that a route names, and those that follow from its permission and its body. */
function errorsOf({ errors, permission, audit, request }: Route): readonly ErrorCode[] {
  const all: ErrorCode[] = [...(errors ?? [])];
  if (permission.kind !== 'public') {
    all.push(
      'unauthenticated',
      'organization_forbidden',
      'rate_limited',
      'storage_unavailable',
      'identity_keys_unavailable',
    );
  }
  if (permission.kind === 'organisation') all.push('organization_required', 'organization_forbidden', 'role_required');
  if (request?.body) all.push('validation_failed', 'length_required', 'payload_too_large');
  if (audit !== 'none') all.push('audit_unavailable');
  all.push('misconfigured');
  return [...new Set(all)];
}
