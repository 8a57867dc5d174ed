import { request as httpRequest } from 'node:http';
import { app, type HttpMethod, type HttpRequest } from '@azure/functions';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestHost, type TestHost, testMasterKey } from '../../../support/functions-host-fixture.ts';

const allMethods: HttpMethod[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

async function echo(request: HttpRequest) {
  return {
    jsonBody: {
      method: request.method,
      url: request.url,
      query: Object.fromEntries(request.query),
      headers: Object.fromEntries(request.headers),
      params: request.params,
      body: await request.text(),
    },
  };
}

function registerFunctions(): void {
  app.http('echo', { route: 'echo', methods: ['GET', 'POST'], handler: echo });
  app.http('a-first', { route: 'shared/{name}', methods: ['GET'], handler: () => ({ body: 'a-first' }) });
  app.http('b-second', { route: 'shared/fixed', methods: ['GET', 'PUT'], handler: () => ({ body: 'b-second' }) });
  app.http('item', { route: 'items/{name}', methods: ['GET', 'DELETE'], handler: echo });
  app.http('number', { route: 'numbers/{value:int}/{rest?}', methods: ['GET'], handler: echo });
  app.http('nothing', { methods: ['GET'], handler: () => undefined as never });
  app.http('fails', {
    methods: ['GET'],
    handler: () => {
      throw new Error('the secret reason');
    },
  });
  app.http('bad-answer', { methods: ['GET'], handler: () => 'text' as never });
  app.http('odd-status', { methods: ['GET'], handler: () => ({ status: 999 }) });
  app.http('head', { methods: ['HEAD', 'GET', 'OPTIONS'], handler: () => ({ body: 'twelve bytes' }) });
  app.http('cookies', {
    methods: ['GET'],
    handler: () => ({
      headers: [
        ['set-cookie', 'lost=1'],
        ['set-cookie', 'kept=1'],
      ],
      cookies: [
        {
          name: '__Host-txn',
          value: 'a b;c',
          path: '/',
          secure: true,
          httpOnly: true,
          sameSite: 'Lax',
          maxAge: 600,
          expires: new Date('2030-01-02T03:04:05Z'),
        },
        { name: 'plain', value: 'x' },
      ],
    }),
  });
  app.http('keyed', { methods: ['GET'], authLevel: 'function', handler: () => ({ body: 'in' }) });
  app.http('bytes', { methods: ['GET'], handler: () => ({ status: 201, body: new Uint8Array([0, 255, 1]) }) });
}

let host: TestHost;
let withCatchAll: TestHost;

beforeAll(async () => {
  host = await startTestHost(registerFunctions);
  withCatchAll = await startTestHost(() => {
    app.http('zz-catch-all', {
      route: '{*path}',
      methods: allMethods,
      handler: (request) => ({ status: 404, jsonBody: { method: request.method, path: request.params.path ?? null } }),
    });
    registerFunctions();
  });
});
afterAll(async () => {
  await Promise.all([host.stop(), withCatchAll.stop()]);
});
beforeEach(() => {
  (host.lines as unknown[]).length = 0;
});

async function echoed(path: string, init?: RequestInit) {
  const answer = await host.get(path, init);
  expect(answer.status).toBe(200);
  return answer.json();
}

describe('routes', () => {
  it('lie under the route prefix and nowhere else', async () => {
    expect((await host.get('/api/echo')).status).toBe(200);
    expect((await host.get('/echo')).status).toBe(404);
    expect((await host.get('/')).status).toBe(404);
  });

  it('are tried alphabetically by function name, and the first that fits wins over a more exact one', async () => {
    expect(await (await host.get('/api/shared/fixed')).text()).toBe('a-first');
    expect(await (await host.get('/api/shared/fixed', { method: 'PUT' })).text()).toBe('b-second');
  });

  it('answer a bare 404 for an unknown path and for a known path with a wrong method', async () => {
    for (const answer of [await host.get('/api/unknown'), await host.get('/api/echo', { method: 'DELETE' })]) {
      expect(answer.status).toBe(404);
      expect(await answer.text()).toBe('');
    }
  });

  it('leave unknown paths and wrong methods to a catch-all whose name sorts last', async () => {
    expect(await (await withCatchAll.get('/api/shared/fixed')).text()).toBe('a-first');
    const unknown = await withCatchAll.get('/api/no/such%20path');
    expect(await unknown.json()).toEqual({ method: 'GET', path: 'no/such path' });
    const wrongMethod = await withCatchAll.get('/api/echo', { method: 'DELETE' });
    expect(await wrongMethod.json()).toEqual({ method: 'DELETE', path: 'echo' });
    expect(await (await withCatchAll.get('/api')).json()).toEqual({ method: 'GET', path: null });
    expect((await withCatchAll.get('/outside')).status).toBe(404);
  });

  it('ignore case and a trailing slash', async () => {
    expect((await host.get('/API/Echo/')).status).toBe(200);
  });

  it('take the function name where the app gave no route', async () => {
    expect((await host.get('/api/nothing')).status).toBe(204);
  });

  it('know optional parameters and constraints', async () => {
    expect(await echoed('/api/numbers/12')).toMatchObject({ params: { value: '12' } });
    expect(await echoed('/api/numbers/12/x')).toMatchObject({ params: { value: '12', rest: 'x' } });
    expect((await host.get('/api/numbers/twelve')).status).toBe(404);
    expect((await host.get('/api/numbers/12/x/y')).status).toBe(404);
  });

  it('decode parameters once, and keep an encoded slash as it is', async () => {
    expect(await echoed('/api/items/caf%C3%A9%20%25')).toMatchObject({ params: { name: 'café %' } });
    expect(await echoed('/api/items/a%2Fb')).toMatchObject({ params: { name: 'a%2Fb' } });
    expect((await host.get('/api/items/')).status).toBe(404);
  });

  it.each(['/api/items/%', '/api/items/%zz', '/api/items/%C3%28', '/api/items/%00'])(
    'answer 400 for the malformed path %s and serve on',
    async (path) => {
      expect(await host.raw(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 400 /,
      );
      expect((await host.get('/api/echo')).status).toBe(200);
    },
  );

  it.each([
    ['a host with a user', 'GET /api/echo HTTP/1.1\r\nhost: a@b\r\n'],
    ['a host with a path', 'GET /api/echo HTTP/1.1\r\nhost: a/b\r\n'],
    ['two hosts', 'GET /api/echo HTTP/1.1\r\nhost: a\r\nhost: b\r\n'],
    ['a port out of range', 'GET /api/echo HTTP/1.1\r\nhost: a:99999\r\n'],
    ['an absolute target', 'GET http://other/api/echo HTTP/1.1\r\nhost: a\r\n'],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nhost: a\r\n'],
  ])('answer 400 for %s', async (_, head) => {
    expect(await host.raw(`${head}connection: close\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('do not take a double slash for another host', async () => {
    const answer = await host.raw('GET //evil/api/echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('that are not anonymous need the master key', async () => {
    expect((await host.get('/api/keyed')).status).toBe(401);
    expect((await host.get('/api/keyed', { headers: { 'x-functions-key': testMasterKey } })).status).toBe(200);
  });

  it('are listed with their methods', () => {
    expect(host.functions.find((each) => each.name === 'item')).toEqual({
      name: 'item',
      trigger: 'http',
      route: 'items/{name}',
      methods: ['GET', 'DELETE'],
    });
  });
});

describe('requests', () => {
  it('carry method, URL, query and body to the handler', async () => {
    const seen = await echoed('/api/echo?x=1&y=%26', { method: 'POST', body: 'text é' });
    expect(seen).toMatchObject({
      method: 'POST',
      url: `${host.url}/api/echo?x=1&y=%26`,
      query: { x: '1', y: '&' },
      body: 'text é',
    });
  });

  it('have repeated query values joined by a comma', async () => {
    expect(await echoed('/api/echo?a=1&a=2&b=3')).toMatchObject({ query: { a: '1,2', b: '3' } });
  });

  it('have the client’s address at the end of X-Forwarded-For, whatever the client says itself', async () => {
    for (const headers of [{}, { 'x-forwarded-for': '192.0.2.1, 192.0.2.2' }]) {
      const { headers: seen } = JSON.parse(await (await host.get('/api/echo', { headers })).text());
      expect(seen['x-forwarded-for'].split(',').at(-1).trim()).toBe('127.0.0.1');
    }
  });

  it('have repeated headers joined, those included of which Node would drop all but one', async () => {
    const lines = ['GET /api/echo HTTP/1.1', 'host: localhost', 'connection: close'];
    lines.push('x-a: 1', 'x-a: 2', 'authorization: Bearer a', 'authorization: Bearer b', 'cookie: a=1', 'cookie: b=2');
    const answer = await host.raw(`${lines.join('\r\n')}\r\n\r\n`);
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))).headers).toMatchObject({
      'x-a': '1,2',
      authorization: 'Bearer a,Bearer b',
      cookie: 'a=1; b=2',
    });
  });

  it('with a chunked body arrive without one', async () => {
    const status = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(`${host.url}/api/echo`, { method: 'POST' }, async (response) => {
        let text = '';
        for await (const chunk of response) {
          text += chunk;
        }
        resolve(JSON.parse(text).body);
      });
      request.on('error', reject);
      request.write('chunked ');
      request.end('body');
    });
    expect(status).toBe('');
  });

  it('above the body limit get 413 before the body is read', async () => {
    const limit = 4 * 1024 * 1024;
    const head = 'POST /api/echo HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n';
    expect(await host.raw(`${head}content-length: ${limit + 1}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    expect(await host.raw(`${head}content-length: 99999999999\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /);
    const whole = await host.get('/api/echo', { method: 'POST', body: 'x'.repeat(limit) });
    expect(await whole.json()).toMatchObject({ body: 'x'.repeat(limit) });
  });

  it('whose whole oversized body is sent get 413, too', async () => {
    const answer = await host.get('/api/echo', { method: 'POST', body: Buffer.alloc(6 * 1024 * 1024) });
    expect(answer.status).toBe(413);
  });

  it('with more than 32 KiB of headers get 431', async () => {
    expect((await host.get('/api/echo', { headers: { 'x-long': 'x'.repeat(24 * 1024) } })).status).toBe(200);
    expect((await host.get('/api/echo', { headers: { 'x-long': 'x'.repeat(33 * 1024) } })).status).toBe(431);
  });

  it('that break off do not disturb the next one, and are not logged as failures', async () => {
    const broken = httpRequest(`${host.url}/api/echo`, { method: 'POST', headers: { 'content-length': 100 } });
    broken.on('error', () => {});
    broken.write('half', () => broken.destroy());
    await new Promise((resolve) => broken.once('close', resolve));
    expect((await host.get('/api/echo')).status).toBe(200);
    expect(host.lines).toEqual([]);
  });
});

describe('answers', () => {
  it('of a handler that returns nothing are 204', async () => {
    const answer = await host.get('/api/nothing');
    expect(answer.status).toBe(204);
    expect(answer.headers.has('content-length')).toBe(false);
  });

  it('of a handler that throws are a bare 500, with one log line that has the reason', async () => {
    const answer = await host.get('/api/fails');
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('');
    expect(host.lines).toHaveLength(1);
    expect(host.lines[0]).toMatchObject({ level: 'error', message: 'Function failed', fields: { function: 'fails' } });
    expect(host.lines[0]?.fields.error).toContain('the secret reason');
  });

  it.each(['bad-answer', 'odd-status'])('that cannot be sent (%s) are a bare 500, too', async (name) => {
    const answer = await host.get(`/api/${name}`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).toBe('');
    expect(host.lines).toHaveLength(1);
  });

  it('carry bytes unchanged', async () => {
    const answer = await host.get('/api/bytes');
    expect(answer.status).toBe(201);
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([0, 255, 1]);
  });

  it('to HEAD have the length and no body; HEAD to a function of GET only is unknown', async () => {
    const answer = await host.raw('HEAD /api/head HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toContain('content-length: 12');
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
    expect((await host.get('/api/echo', { method: 'HEAD' })).status).toBe(404);
  });

  it('to OPTIONS come from the function, where it takes OPTIONS', async () => {
    expect((await host.get('/api/head', { method: 'OPTIONS' })).status).toBe(200);
    expect((await host.get('/api/echo', { method: 'OPTIONS' })).status).toBe(404);
  });

  it('keep one set-cookie header of several, and every cookie set through `cookies`', async () => {
    const answer = await host.get('/api/cookies');
    expect(answer.headers.getSetCookie()).toEqual([
      'kept=1',
      '__Host-txn=a%20b%3Bc; Expires=Wed, 02 Jan 2030 03:04:05 GMT; Max-Age=600; Path=/; Secure; SameSite=Lax; HttpOnly',
      'plain=x; Path=/',
    ]);
  });
});
