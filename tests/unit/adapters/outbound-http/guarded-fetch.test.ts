import * as oauth from 'oauth4webapi';
import { describe, expect, test, vi } from 'vitest';
import { wasSent } from '../../../../src/adapters/outbound-http/guarded-fetch.ts';
import { failureOf, guarded, lookupOf, serve, strict } from './support.ts';
import { refusedUrls } from './url-vectors.ts';

describe('S-51 addresses at the time of the call', () => {
  test.each(refusedUrls)('%j is refused and nobody is asked', async (url) => {
    const lookup = lookupOf(['8.8.8.8']);
    const failure = await failureOf(strict({ lookup }).fetch(url));
    expect(failure.code).toBe('url_not_allowed');
    expect(wasSent(failure)).toBe(false);
    expect(lookup.asked()).toBe(0);
  });

  test.each([
    [['127.0.0.1']],
    [['::1']],
    [['8.8.8.8', '10.0.0.1']],
    [['10.0.0.1', '8.8.8.8']],
    [['64:ff9b::7f00:1']],
    [['::ffff:169.254.169.254']],
    [['168.63.129.16']],
    [[]],
  ])('a name that resolves to %j is refused', async (answer) => {
    const failure = await failureOf(strict({ lookup: lookupOf(answer) }).fetch('https://provider.example.com/'));
    expect(failure).toMatchObject({ code: 'url_not_allowed', message: 'The URL of the provider is not allowed.' });
    expect(failure.detail).toContain('provider.example.com resolves to');
    expect(wasSent(failure)).toBe(false);
  });

  test('with allowInsecureLoopback loopback is added, and nothing else', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    const client = guarded({ lookup: lookupOf(['10.0.0.1'], ['127.0.0.1', '192.168.0.1'], ['127.0.0.1']) });
    for (let call = 0; call < 2; call += 1) {
      expect((await failureOf(client.fetch(`http://localhost:${server.port}/`))).code).toBe('url_not_allowed');
    }
    expect((await failureOf(client.fetch('https://10.0.0.1/'))).code).toBe('url_not_allowed');
    expect(server.connections()).toBe(0);
    expect((await client.fetch(`http://localhost:${server.port}/`)).status).toBe(200);
  });

  test('S-52 a name that turns from a public address to loopback reaches no listener', async () => {
    const canary = await serve((_request, response) => response.end('inside'));
    // The first answer is what a check before the call would have seen.
    const lookup = lookupOf(['8.8.8.8'], ['127.0.0.1']);
    lookup('provider.example.com', { all: true }, () => {});
    const failure = await failureOf(strict({ lookup }).fetch(`https://provider.example.com:${canary.port}/`));
    expect(failure.code).toBe('url_not_allowed');
    expect(canary.connections()).toBe(0);
  });

  test('S-52 each connection asks once and dials what it was answered', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    const lookup = lookupOf(['127.0.0.1'], ['10.0.0.9']);
    const client = guarded({ lookup });
    expect((await client.fetch(`http://localhost:${server.port}/`)).status).toBe(200);
    expect(lookup.asked()).toBe(1);
    expect((await failureOf(client.fetch(`http://localhost:${server.port}/`))).code).toBe('url_not_allowed');
    expect(lookup.asked()).toBe(2);
    expect(server.connections()).toBe(1);
  });
});

describe('S-53 redirects', () => {
  test.each([301, 302, 303, 307, 308])('a %i is returned, and its target is not visited', async (status) => {
    const canary = await serve((_request, response) => response.end('inside'));
    const server = await serve((_request, response) => {
      response.writeHead(status, { location: `${canary.url}/steal` }).end('moved');
    });
    const body = new URLSearchParams({ refresh_token: 'marker' });
    const answer = await guarded().fetch(server.url, { method: 'POST', body, redirect: 'follow' });
    expect([answer.status, answer.headers.get('location')]).toEqual([status, `${canary.url}/steal`]);
    const failure = await failureOf(guarded().fetch(server.url, { redirect: 'error' }));
    expect(failure.code).toBe('provider_answer_invalid');
    expect([server.requests(), canary.connections()]).toEqual([2, 0]);
  });
});

describe('as a fetch', () => {
  test('takes a global Request and gives a global Response', async () => {
    const server = await serve((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify([request.method, request.url, `${Buffer.concat(parts)}`, request.headers]));
      });
    });
    const request = new Request(`${server.url}/token?a=%20b`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token' }),
      headers: { authorization: 'Basic marker', host: 'elsewhere.example.com' },
    });
    const answer = await guarded().fetch(request);
    expect(answer).toBeInstanceOf(Response);
    const [method, url, body, headers] = (await answer.json()) as [string, string, string, Record<string, string>];
    expect([method, url, body]).toEqual(['POST', '/token?a=%20b', 'grant_type=refresh_token']);
    expect(headers).toMatchObject({
      authorization: 'Basic marker',
      host: `127.0.0.1:${server.port}`,
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
      'user-agent': 'bowline',
    });
  });

  test('keeps no cookies and no connection', async () => {
    const seen: unknown[] = [];
    const server = await serve((request, response) => {
      seen.push([request.headers.cookie, request.headers.connection]);
      response.writeHead(200, { 'set-cookie': 'session=1; Path=/' }).end();
    });
    const client = guarded();
    await client.fetch(server.url);
    await client.fetch(server.url);
    expect(seen).toEqual([
      [undefined, 'close'],
      [undefined, 'close'],
    ]);
    expect(server.connections()).toBe(2);
  });

  test('gives answers without a body, and headers beyond ASCII', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(204, { 'x-note': Buffer.from('✓ größe').toString('latin1') }).end();
    });
    const answer = await guarded().fetch(server.url);
    expect([answer.status, await answer.text(), answer.headers.has('x-note')]).toEqual([204, '', true]);
  });

  test('serves oauth4webapi as its customFetch', async () => {
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ access_token: 'marker', token_type: 'bearer', expires_in: 60 }));
    });
    const client = { client_id: 'client' };
    const ask = async (tokenEndpoint: string, customFetch: typeof fetch) => {
      const as = { issuer: 'https://provider.example.com', token_endpoint: tokenEndpoint };
      const auth = oauth.ClientSecretPost('test-only-secret');
      const options = { [oauth.customFetch]: customFetch, [oauth.allowInsecureRequests]: true };
      const answer = await oauth.clientCredentialsGrantRequest(as, client, auth, {}, options);
      return oauth.processClientCredentialsResponse(as, client, answer);
    };
    expect(await ask(`${server.url}/token`, guarded().fetch)).toMatchObject({ access_token: 'marker' });
    const failure = await failureOf(ask('https://169.254.169.254/token', strict().fetch));
    expect(failure.code).toBe('url_not_allowed');
    expect(wasSent(failure)).toBe(false);
  });

  test('close breaks off what is under way', async () => {
    const server = await serve(() => {});
    const client = guarded();
    const failing = failureOf(client.fetch(server.url));
    await vi.waitFor(() => expect(server.requests()).toBe(1));
    await client.close();
    expect((await failing).code).toBe('provider_unavailable');
  });
});
