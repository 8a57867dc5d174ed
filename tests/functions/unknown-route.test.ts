import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { pathOf } from './support/every-route.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

describe('an unknown route', () => {
  it.each([
    '/api',
    '/api/',
    '/api/nothing',
    '/api/oauth',
    '/api/oauth/connections/a/b/c',
    '/api/OAuth2/me',
    '/api/connect/',
  ])('404 route_not_found for %s, with and without a key', async (path) => {
    for (const key of [broker.adminKey, null]) {
      const answer = await broker.call('GET', path, { key });
      expect(answer).toMatchObject({ status: 404, json: { error: 'route_not_found' } });
      expect(Object.keys(answer.json).sort()).toEqual(['correlation_id', 'error', 'message']);
    }
  });

  it('says nothing of the path that was asked for', async () => {
    const answer = await broker.call('GET', '/api/<script>alert(1)</script>');
    expect(answer.status).toBe(404);
    expect(answer.text).not.toContain('script');
  });
});

describe('a wrong method', () => {
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  const paths = [...new Set(routeTable.map(({ path }) => path))];

  it.each(paths)('405 method_not_allowed at %s, naming the right ones', async (path) => {
    const allowed = routeTable.filter((route) => matches(route.path, path)).map(({ method }) => method as string);
    for (const method of methods.filter((candidate) => !allowed.includes(candidate))) {
      const answer = await broker.call(method, pathOf(path), { key: null });
      expect(answer, method).toMatchObject({ status: 405, json: { error: 'method_not_allowed' } });
      expect(answer.headers.get('allow')).toBe(answer.json.allowed_methods.join(','));
      for (const right of allowed) expect(answer.json.message).toContain(right);
    }
  });

  it('405 for OPTIONS, without a word about other origins: no CORS (S-64)', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'GET' };
    const answer = await broker.call('OPTIONS', '/api/oauth/credentials/crm', { headers });
    expect(answer).toMatchObject({ status: 405, json: { error: 'method_not_allowed' } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it('405 in whatever letters the path is written', async () => {
    const answer = await broker.call('DELETE', '/api/OAUTH/Me');
    expect(answer).toMatchObject({ status: 405, json: { error: 'method_not_allowed' } });
  });
});

/** Whether a template also takes the example path of another one: `disabled` looks like the id of a workflow. */
function matches(template: string, other: string): boolean {
  const pattern = template.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`).test(other);
}
