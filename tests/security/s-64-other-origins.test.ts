import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { bodyOf } from '../functions/support/every-route.ts';
import { create, everythingKept } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
  await create(broker, 'crm');
});
afterAll(() => broker.stop());

const crossSite = {
  origin: 'https://evil.example',
  referer: 'https://evil.example/form',
  'sec-fetch-site': 'cross-site',
  'sec-fetch-mode': 'no-cors',
  // Whatever a browser might hold: nothing of it is a credential here.
  cookie: '__Host-bowline=x; x-api-key=x',
};
/** The types that a page elsewhere may send without asking first. */
const simpleTypes = ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=b', 'text/plain', ''];

const pathOf = (path: string) =>
  `/api${path.replace('{connection_name}', 'crm').replace('{workflow_id}', 'sync').replace('{id}', 'f'.repeat(32)).replace('{token}', 'x')}`;
const corsHeaders = (headers: Headers) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));

const closed = routeTable.filter(({ permission }) => permission.kind !== 'public');
const changing = closed.filter(({ method }) => method !== 'GET');

describe('S-64 a page of another origin', () => {
  it.each(routeTable.map((route) => [route.name, route] as const))(
    'is not told that it may read %s',
    async (_name, route) => {
      for (const origin of ['https://evil.example', 'null', broker.url]) {
        const answer = await broker.call(route.method, pathOf(route.path), {
          key: null,
          headers: { ...crossSite, origin },
          body: bodyOf(route),
        });
        expect(corsHeaders(answer.headers), origin).toEqual([]);
      }
    },
  );

  it.each([...new Set(routeTable.map(({ path }) => path))])('gets 405 for a preflight of %s', async (path) => {
    const answer = await broker.call('OPTIONS', pathOf(path), {
      key: null,
      headers: {
        ...crossSite,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, x-api-key',
        'access-control-request-private-network': 'true',
      },
    });
    expect(answer.status).toBe(405);
    expect(corsHeaders(answer.headers)).toEqual([]);
  });

  it.each(changing.map((route) => [route.name, route] as const))(
    'changes nothing through %s: a form carries no key, and a key does not make a form JSON',
    async (_name, route) => {
      const before = await everythingKept(broker);
      for (const type of simpleTypes) {
        const headers = { ...crossSite, 'content-type': type };
        const body = JSON.stringify(bodyOf(route) ?? { x: 1 });
        const bare = await broker.call(route.method, pathOf(route.path), { key: null, headers, body });
        expect(bare.status, type).toBe(401);
        if (route.request?.body === undefined) continue;
        const keyed = await broker.call(route.method, pathOf(route.path), { headers, body });
        expect(keyed, type).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
        expect(keyed.json.details[0].path).toBe('Content-Type');
      }
      expect(await everythingKept(broker)).toEqual(before);
    },
  );

  it.each(changing.map((route) => [route.name, route] as const))('cannot use GET for %s', async (_name, route) => {
    const isReadable = routeTable.some(({ method, path }) => method === 'GET' && path === route.path);
    const before = await everythingKept(broker);
    const answer = await broker.call('GET', pathOf(route.path), { headers: crossSite });
    // Credentials that nobody has connected yet are 503.
    if (isReadable) expect([200, 404, 503]).toContain(answer.status);
    // A word in the place of an id looks like one, as `test` of `connections/{name}` does.
    else expect([404, 405]).toContain(answer.status);
    expect(await everythingKept(broker)).toEqual(before);
  });

  it('takes no method from a header or a field', async () => {
    const before = await everythingKept(broker);
    for (const headers of [
      { 'x-http-method-override': 'DELETE' },
      { 'x-method-override': 'DELETE' },
      { 'x-http-method': 'DELETE' },
    ]) {
      expect((await broker.call('GET', '/api/oauth/connections/crm?_method=DELETE', { headers })).status).toBe(200);
      expect((await broker.call('GET', '/api/oauth/connections/crm', { headers })).status).toBe(200);
    }
    expect(await everythingKept(broker)).toEqual(before);
  });
});
