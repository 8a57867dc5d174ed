import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, LookupFunction, Server as NetServer } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
} from '../../../../src/adapters/outbound-http/guarded-fetch.ts';
import { BrokerError } from '../../../../src/domain/errors.ts';

export interface TestServer {
  readonly port: number;
  readonly url: string;
  connections(): number;
  requests(): number;
}

/** Serves on 127.0.0.1 and any free port until the test ends. */
export async function serve(listener: RequestListener): Promise<TestServer> {
  let requests = 0;
  const server: Server = createServer((request, response) => {
    requests += 1;
    listener(request, response);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port, connections } = await listen(server);
  return { port, url: `http://127.0.0.1:${port}`, connections, requests: () => requests };
}

export async function listen(server: NetServer): Promise<{ port: number; connections(): number }> {
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

/** A DNS whose first answers are the given ones and whose last answer stays. */
export function lookupOf(...answers: readonly (readonly string[])[]): LookupFunction & { asked: () => number } {
  let asked = 0;
  const lookup: LookupFunction = (_hostname, _options, callback) => {
    const answer = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.assign(lookup, { asked: () => asked });
}

export function guarded(options: Partial<GuardedFetchOptions> = {}): GuardedFetch {
  const client = createGuardedFetch({ allowInsecureLoopback: true, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** As in Azure: https and public addresses only. */
export function strict(options: Partial<GuardedFetchOptions> = {}): GuardedFetch {
  return guarded({ allowInsecureLoopback: false, ...options });
}

export async function failureOf(answer: Promise<unknown>): Promise<BrokerError> {
  const failure: unknown = await answer.then(
    () => 'it was answered',
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(BrokerError);
  return failure as BrokerError;
}
