import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HttpRefusal, writeBare } from './http-conversion.ts';
import { describeError, type HostLog } from './log.ts';

// The real host's server allows 32 KiB of headers and answers 431 above it.
const maxHeaderBytes = 32 * 1024;

export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface HttpListener {
  readonly url: string;
  /** Until this is called every request gets 503. */
  serve(handler: RequestHandler): void;
  /** Stops accepting; connections end with the answer that they wait for. Resolves when the last one is gone. */
  drain(): Promise<void>;
  /** Whether `drain` has been called, so that an answer has to end its connection. */
  draining(): boolean;
  /** Ends every connection at once. */
  destroy(): void;
}

/** Listens on 127.0.0.1. Rejects with the system's error, `code` included, when the port cannot be had. */
export async function listen(port: number, log: HostLog): Promise<HttpListener> {
  let handler: RequestHandler | undefined;
  let draining = false;
  const server = createServer({ maxHeaderSize: maxHeaderBytes }, (request, response) => {
    const accepted = draining ? undefined : handler;
    void answerSafely(accepted ?? refuseUnready, request, response, log, () => draining);
  });
  await bind(server, port);
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    serve: (given) => {
      handler = given;
    },
    drain: () => {
      draining = true;
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      });
    },
    draining: () => draining,
    destroy: () => server.closeAllConnections(),
  };
}

function bind(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function answerSafely(
  handler: RequestHandler,
  request: IncomingMessage,
  response: ServerResponse,
  log: HostLog,
  draining: () => boolean,
): Promise<void> {
  try {
    await handler(request, response);
  } catch (error) {
    if (error instanceof HttpRefusal) {
      writeBare(response, error.status, draining());
    } else if (!request.destroyed || request.complete) {
      log('error', 'Request failed', { method: request.method, error: describeError(error) });
      writeBare(response, 500, draining());
    }
  }
}

async function refuseUnready(): Promise<void> {
  throw new HttpRefusal(503);
}
