import { describe, expect, test } from 'vitest';
import { type ApiDocument, type ApiOperation, apiDocument } from '../../scripts/generated/api-document.ts';
import { routeTable } from '../../src/functions/route-table.ts';
import { readPage } from '../support/markdown.ts';

interface Schema {
  readonly properties: Readonly<Record<string, { readonly writeOnly?: boolean; readonly example?: unknown }>>;
}

const document = (await apiDocument()) as ApiDocument & {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};
const operations: readonly ApiOperation[] = Object.values(document.paths).flatMap((methods) => Object.values(methods));

describe('the OpenAPI document', () => {
  test('has every route once', () => {
    expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(
      routeTable.map(({ name }) => name).toSorted(),
    );
  });

  test('has the version of the package', () => {
    expect(document.info.version).toBe(JSON.parse(readPage('package.json')).version);
  });

  test('describes every tag in a sentence', () => {
    for (const { name, description } of document.tags)
      expect({ name, description }).not.toEqual({ name, description: name });
  });

  test('has an example for every parameter and every body', () => {
    const bare = operations.flatMap(({ operationId, parameters = [], requestBody }) => [
      ...parameters
        .filter(({ example, schema }) => (example ?? schema.example) === undefined)
        .map(({ name }) => `${operationId}: ${name}`),
      ...(requestBody !== undefined && requestBody.content['application/json'].example === undefined
        ? [`${operationId}: body`]
        : []),
    ]);
    expect(bare).toEqual([]);
  });

  test('has only examples of bodies that the routes take', () => {
    for (const { name, request } of routeTable) {
      if (request?.body === undefined) continue;
      const parsed = request.body.safeParse(request.body.meta()?.example);
      expect({ name, problems: parsed.error?.issues ?? [] }).toEqual({ name, problems: [] });
    }
  });

  test('marks what is only ever sent as write-only, and shows it nowhere in answers', () => {
    const { NewConnection, ConnectionDetail, ConnectionSummary } = document.components.schemas;
    for (const name of ['client_secret', 'refresh_token']) {
      expect(NewConnection?.properties[name]).toMatchObject({ writeOnly: true });
      expect(ConnectionDetail?.properties).not.toHaveProperty(name);
      expect(ConnectionSummary?.properties).not.toHaveProperty(name);
    }
    const tokens = document.paths['/oauth/connections/{connection_name}/tokens']?.post?.requestBody as unknown as {
      content: { 'application/json': { schema: Schema } };
    };
    const { properties } = tokens.content['application/json'].schema;
    expect(properties.access_token).toMatchObject({ writeOnly: true });
    expect(properties.refresh_token).toMatchObject({ writeOnly: true });
  });
});
