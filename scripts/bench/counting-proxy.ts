import http from 'node:http';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';

export interface CountingProxy {
  readonly url: string;
  /** The requests since the last reset, by what they do: `GET OAuthConnections`. */
  readonly counts: ReadonlyMap<string, number>;
  total(): number;
  reset(): void;
  stop(): Promise<void>;
}

/** Passes requests on to a table service and counts them by method and table. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const counts = new Map<string, number>();
  const server = http.createServer((request, response) => {
    const table = /\/devstoreaccount1\/([A-Za-z0-9]+)/.exec(request.url ?? '')?.[1] ?? 'account';
    const name = `${request.method} ${table}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const { method, url: path, headers } = request;
    const onward = http.request({ hostname, port, method, path, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  const ownPort = await listenOnLoopback(server, { name: 'counting proxy', port: 0 });
  return {
    url: `http://127.0.0.1:${ownPort}`,
    counts,
    total: () => [...counts.values()].reduce((sum, count) => sum + count, 0),
    reset: () => counts.clear(),
    stop: async () => {
      agent.destroy();
      await closeServer(server);
    },
  };
}
