import { createServer as createNetServer, type LookupFunction, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { wasSent } from '../../../../src/adapters/outbound-http/guarded-fetch.ts';
import { failureOf, guarded, listen, serve } from './support.ts';

const mebibyte = 1024 * 1024;

describe('S-54 size', () => {
  test('a stream without end is cut off at the limit, and the connection with it', async () => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    let sent = 0;
    let isClosed = false;
    const server = await serve((_request, response) => {
      const more = () => {
        while (!isClosed && response.write(chunk)) {
          sent += chunk.length;
        }
      };
      response.on('drain', more).on('close', () => {
        isClosed = true;
      });
      more();
    });
    const before = process.memoryUsage().rss;
    const failure = await failureOf(guarded().fetch(server.url));
    expect(failure).toMatchObject({
      code: 'provider_answer_invalid',
      message: "The provider's answer could not be read.",
      detail: 'a body of more than 1048576 bytes',
    });
    expect(wasSent(failure)).toBe(true);
    await vi.waitFor(() => expect(isClosed).toBe(true));
    expect(sent).toBeLessThan(32 * mebibyte);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * mebibyte);
  });

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
  ])('a %s bomb is not unpacked beyond the limit', async (coding, pack) => {
    const bomb = pack(Buffer.alloc(50 * mebibyte));
    const server = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': coding }).end(bomb);
    });
    const failure = await failureOf(guarded().fetch(server.url));
    expect(failure).toMatchObject({ code: 'provider_answer_invalid', detail: 'a body of more than 1048576 bytes' });
  });

  test('a body of exactly the limit comes whole, one byte more does not', async () => {
    const server = await serve((request, response) =>
      response.end(Buffer.alloc(request.url === '/fits' ? 1000 : 1001)),
    );
    const client = guarded({ maxBodyBytes: 1000 });
    expect((await (await client.fetch(`${server.url}/fits`)).arrayBuffer()).byteLength).toBe(1000);
    expect((await failureOf(client.fetch(`${server.url}/over`))).code).toBe('provider_answer_invalid');
  });

  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['GZIP', gzipSync],
    ['br', brotliCompressSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['identity', (bytes: Buffer) => bytes],
  ])('an answer in %s is decoded, though none was asked for', async (coding, pack) => {
    let asked: string | undefined;
    const server = await serve((request, response) => {
      asked = request.headers['accept-encoding'];
      response.writeHead(200, { 'content-encoding': coding }).end(pack(Buffer.from('{"access_token":"t"}')));
    });
    const answer = await guarded().fetch(server.url);
    expect(await answer.json()).toEqual({ access_token: 't' });
    expect(answer.headers.has('content-encoding')).toBe(false);
    expect(asked).toBe('identity');
  });

  test.each(['gzip, gzip', 'zstd', 'constructor'])('the content coding %s is refused', async (coding) => {
    const server = await serve((_request, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end('x'),
    );
    const failure = await failureOf(guarded().fetch(server.url));
    expect(failure).toMatchObject({ code: 'provider_answer_invalid', detail: 'an unknown content coding' });
  });

  test('a body that does not decode is refused without quoting it', async () => {
    const server = await serve((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('marker-in-body'),
    );
    const failure = await failureOf(guarded().fetch(server.url));
    expect(failure).toMatchObject({ code: 'provider_answer_invalid', detail: 'a body that does not decode' });
  });

  test('headers without end are cut off', async () => {
    const server = createNetServer((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\n');
      const timer = setInterval(() => socket.write(`x-filler: ${'y'.repeat(4000)}\r\n`), 1);
      socket.on('close', () => clearInterval(timer));
    });
    onTestFinished(() => void server.close());
    const { port } = await listen(server);
    const failure = await failureOf(guarded().fetch(`http://127.0.0.1:${port}/`));
    expect(failure.code).toBe('provider_answer_invalid');
    expect(failure.detail).toContain('UND_ERR_HEADERS_OVERFLOW');
  });
});

describe('S-54 time', () => {
  test.each([
    ['no answer at all', (socket: Socket) => void socket.on('data', () => {})],
    ['a header a moment', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\n', 'x: y\r\n')],
    ['a byte of body a moment', (socket: Socket) => drip(socket, 'HTTP/1.1 200 OK\r\n\r\n', 'b')],
    ['interim answers only', (socket: Socket) => drip(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  ])('%s ends with the total time', async (_name, behave) => {
    const server = createNetServer((socket) => {
      socket.on('error', () => {});
      behave(socket);
    });
    onTestFinished(() => void server.close());
    const { port } = await listen(server);
    const startedMs = performance.now();
    const failure = await failureOf(guarded({ totalTimeoutMs: 250 }).fetch(`http://127.0.0.1:${port}/`));
    expect(performance.now() - startedMs).toBeLessThan(2000);
    expect(failure).toMatchObject({
      code: 'provider_unavailable',
      message: 'The provider could not be reached or did not answer.',
      detail: `127.0.0.1:${port}: total time is up, after the request was sent`,
    });
  });

  test('a DNS that never answers ends with the total time, and nothing is sent when it does at last', async () => {
    const server = await serve((_request, response) => response.end('late'));
    let answerNow = () => {};
    const lookup: LookupFunction = (_hostname, _options, callback) => {
      answerNow = () => callback(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const failure = await failureOf(
      guarded({ lookup, totalTimeoutMs: 200, connectTimeoutMs: 5000 }).fetch(`http://localhost:${server.port}/`),
    );
    expect(failure.code).toBe('provider_unavailable');
    expect(wasSent(failure)).toBe(false);
    answerNow();
    await vi.waitFor(() => expect(server.connections()).toBe(1));
    // Had anything been written to that connection, it would have been read before this.
    expect((await guarded().fetch(server.url)).status).toBe(200);
    expect(server.requests()).toBe(1);
  });

  test("a caller's own signal rejects with its reason", async () => {
    const server = await serve(() => {});
    const reason = new Error('the caller went away');
    const abort = new AbortController();
    const answer = guarded().fetch(server.url, { signal: abort.signal });
    await vi.waitFor(() => expect(server.requests()).toBe(1));
    abort.abort(reason);
    await expect(answer).rejects.toBe(reason);
    expect(wasSent(reason)).toBe(true);
    const early = new Error('the caller was never there');
    await expect(guarded().fetch(server.url, { signal: AbortSignal.abort(early) })).rejects.toBe(early);
    expect(wasSent(early)).toBe(false);
  });
});

function drip(socket: Socket, first: string, each: string): void {
  socket.once('data', () => {
    socket.write(first);
    const timer = setInterval(() => socket.write(each), 10);
    socket.on('close', () => clearInterval(timer));
  });
}
