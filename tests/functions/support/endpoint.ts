import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { closeServer, listenOnLoopback } from '../../../src/host/services/loopback-server.ts';

export interface EndpointAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface EndpointRequest {
  readonly authorization: string;
  readonly body: string;
}

/** A provider's server of the test's own: it notes every request, answers as it is told, and waits while it is held. */
export interface Endpoint {
  readonly url: string;
  /** What came in, as the path and the body. */
  readonly requests: readonly string[];
  /** From now on requests to this path are answered so, or as they deserve. Default: 200 with an empty object. */
  answer(path: string, answer: EndpointAnswer | ((request: EndpointRequest) => EndpointAnswer)): void;
  /** Requests to this path wait from now on; they are answered as it stands when they are let go. */
  hold(path: string): { release(): void };
  stop(): Promise<void>;
}

export async function startEndpoint(): Promise<Endpoint> {
  const requests: string[] = [];
  const answers = new Map<string, EndpointAnswer | ((request: EndpointRequest) => EndpointAnswer)>();
  const gates = new Map<string, Promise<void>>();
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const gate = gates.get(path);
    const received = await text(request);
    requests.push(`${path} ${received}`);
    await gate;
    const answer = answers.get(path) ?? { status: 200, body: {} };
    const { authorization = '' } = request.headers;
    const { status, body } = typeof answer === 'function' ? answer({ authorization, body: received }) : answer;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const port = await listenOnLoopback(server, { name: 'provider of the test', port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer: (path, answer) => void answers.set(path, answer),
    hold: (path) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gates.set(path, promise);
      return {
        release: () => {
          gates.delete(path);
          resolve();
        },
      };
    },
    stop: () => closeServer(server),
  };
}
