import { once } from 'node:events';
import { createServer as createNetServer, type LookupFunction, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { wasSent } from '../../../../src/adapters/outbound-http/guarded-fetch.ts';
import { failureOf, guarded, listen, serve, strict } from './support.ts';

describe('whether the provider may have seen the request', () => {
  test('no: nobody listens', async () => {
    const server = createNetServer();
    const { port } = await listen(server);
    server.close();
    await once(server, 'close');
    const failure = await failureOf(guarded().fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'a=1' }));
    expect(failure).toMatchObject({ code: 'provider_unavailable' });
    expect(failure.detail).toBe(`127.0.0.1:${port}: ECONNREFUSED, before anything was sent`);
    expect(wasSent(failure)).toBe(false);
    expect(failure.isOutcomeUnknown).toBe(false);
    expect(wasSent(new Error('wrapped', { cause: failure }))).toBe(false);
  });

  test('no: the name does not exist', async () => {
    const lookup: LookupFunction = (_hostname, _options, callback) =>
      callback(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), []);
    const failure = await failureOf(strict({ lookup }).fetch('https://provider.example.com/'));
    expect(failure.detail).toBe('provider.example.com: ENOTFOUND, before anything was sent');
    expect(wasSent(failure)).toBe(false);
    expect(failure.isOutcomeUnknown).toBe(false);
  });

  test('no: TLS does not come about', async () => {
    const server = await serve((_request, response) => response.end());
    const failure = await failureOf(guarded().fetch(`https://127.0.0.1:${server.port}/`));
    expect(failure.code).toBe('provider_unavailable');
    expect(wasSent(failure)).toBe(false);
    expect(failure.isOutcomeUnknown).toBe(false);
    expect(server.requests()).toBe(0);
  });

  test.each([
    ['before it answers', (socket: Socket) => void socket.once('data', () => socket.destroy())],
    ['by a reset', (socket: Socket) => void socket.once('data', () => socket.resetAndDestroy())],
    [
      'within the body',
      (socket: Socket) =>
        void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf')),
    ],
  ])('yes: the connection ends %s', async (_name, behave) => {
    const server = createNetServer((socket) => {
      socket.on('error', () => {});
      behave(socket);
    });
    onTestFinished(() => void server.close());
    const { port, connections } = await listen(server);
    const failure = await failureOf(guarded().fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: 'a=1' }));
    expect(failure.code).toBe('provider_unavailable');
    expect(wasSent(failure)).toBe(true);
    expect(failure.isOutcomeUnknown).toBe(true);
    expect(connections(), 'nothing is tried again').toBe(1);
  });

  test('yes: for an answer that is not HTTP, which is not quoted', async () => {
    const server = createNetServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end('SSH-2.0-marker\r\n'));
    });
    onTestFinished(() => void server.close());
    const { port } = await listen(server);
    const failure = await failureOf(guarded().fetch(`http://127.0.0.1:${port}/`));
    expect(failure.code).toBe('provider_answer_invalid');
    expect(`${failure.message} ${failure.detail} ${JSON.stringify(failure)} ${failure.cause}`).not.toContain('marker');
    expect(wasSent(failure)).toBe(true);
    expect(failure.isOutcomeUnknown).toBe(true);
  });

  test('yes: for errors from elsewhere', () => {
    expect(wasSent(new Error('no idea'))).toBe(true);
    expect(wasSent(undefined)).toBe(true);
  });

  test('a status outside of HTTP is an invalid answer', async () => {
    const server = await serve((_request, response) => response.writeHead(999).end('go away'));
    expect((await failureOf(guarded().fetch(server.url))).code).toBe('provider_answer_invalid');
  });

  test.each([408, 421, 425, 429, 503])('a %i is an answer: it is returned and not tried again', async (status) => {
    const server = await serve((_request, response) => response.writeHead(status, { 'retry-after': '0' }).end());
    expect((await guarded().fetch(server.url)).status).toBe(status);
    expect(server.requests()).toBe(1);
  });
});
