import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const anyone = { key: null, org: null };

describe('GET openapi.json', () => {
  it('200: an OpenAPI 3.1 document with every route and no other, for the public', async () => {
    const { status, json } = await broker.call('GET', '/api/openapi.json', anyone);
    expect(status).toBe(200);
    expect(json.openapi).toMatch(/^3\.1\./);
    expect(json.servers).toEqual([{ url: `${broker.url}/api` }]);
    const described = Object.entries<Record<string, { operationId: string }>>(json.paths).flatMap(
      ([path, operations]) =>
        Object.entries(operations).map(([method, { operationId }]) => `${method.toUpperCase()} ${path} ${operationId}`),
    );
    expect(described.sort()).toEqual(routeTable.map(({ method, path, name }) => `${method} ${path} ${name}`).sort());
  });

  it('names every answer, and marks the public routes and no other as such', async () => {
    const { json } = await broker.call('GET', '/api/openapi.json', anyone);
    for (const route of routeTable) {
      const operation = json.paths[route.path][route.method.toLowerCase()];
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(Object.keys(route.responses)));
      expect(operation.responses).toHaveProperty('503');
      expect(operation.security, route.name).toEqual(route.permission.kind === 'public' ? [] : undefined);
      if (route.permission.kind !== 'public') expect(operation.responses).toHaveProperty('401');
    }
    expect(json.security).not.toEqual([]);
  });

  it('refers to nothing that is missing', async () => {
    const { json, text } = await broker.call('GET', '/api/openapi.json', anyone);
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) {
      const found = reference.split('/').reduce((place, part) => place?.[part], json);
      expect(found, reference).toBeDefined();
    }
  });
});

describe('GET docs', () => {
  it('200: a page of every route, for the public, that loads nothing and runs nothing', async () => {
    const answer = await broker.call('GET', '/api/docs', anyone);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    for (const { path, summary } of routeTable) {
      expect(answer.text).toContain(path);
      expect(answer.text).toContain(summary.replaceAll('&', '&amp;').replaceAll('"', '&quot;'));
    }
    expect(answer.text).not.toMatch(/<(script|img|link|iframe)\b|src=/i);
    expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
  });
});
