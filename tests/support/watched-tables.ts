import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { inject } from 'vitest';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';

/** Stands in front of the tables, notes every request, and refuses some. */
export interface WatchedTables {
  /** The suites' storage, with the tables behind this. */
  readonly connectionString: string;
  /** The requests, as method and path, while something runs. */
  during(work: () => Promise<unknown>): Promise<readonly string[]>;
  /** From now on, what matches is answered by 503; null: nothing. */
  refuse(matching: RegExp | null): void;
  /** The next request whose method, path and body match waits, until it is let go. */
  hold(matching: RegExp): { waiting(): Promise<void>; release(): void };
  stop(): Promise<void>;
}

export async function startWatchedTables(): Promise<WatchedTables> {
  const whole = inject('azuriteConnectionString');
  const tables = /TableEndpoint=([^;]+)/.exec(whole)?.[1] ?? '';
  let requests: string[] = [];
  let refused: RegExp | null = null;
  let held: { readonly matching: RegExp; readonly arrive: () => void; readonly gate: Promise<void> } | undefined;
  const server = createServer(async (request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    const body = await buffer(request);
    if (held?.matching.test(`${line} ${body}`)) {
      const { arrive, gate } = held;
      held = undefined;
      arrive();
      await gate;
    }
    if (refused?.test(line)) {
      response.writeHead(503).end();
      return;
    }
    const { host, connection, 'content-length': _length, ...headers } = request.headers;
    const answer = await fetch(new URL(request.url ?? '', tables), {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
    const answered = Object.fromEntries(answer.headers);
    for (const name of ['content-encoding', 'transfer-encoding', 'connection']) delete answered[name];
    response.writeHead(answer.status, answered).end(Buffer.from(await answer.arrayBuffer()));
  });
  const watched = new URL(tables);
  watched.port = String(await listenOnLoopback(server, { name: 'watched tables', port: 0 }));
  return {
    connectionString: whole.replace(tables, watched.href),
    during: async (work) => {
      requests = [];
      await work();
      return requests;
    },
    refuse: (matching) => {
      refused = matching;
    },
    hold: (matching) => {
      const [arrival, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      held = { matching, arrive: arrival.resolve, gate: release.promise };
      return { waiting: () => arrival.promise, release: release.resolve };
    },
    stop: () => closeServer(server),
  };
}
