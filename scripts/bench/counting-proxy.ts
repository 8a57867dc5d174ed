import http from 'node:http';
import { closeServer, listenOnLoopback } from '../../src/host/services/loopback-server.ts';

/** Requests to a table service. */
export interface TableRequests {
  readonly all: number;
  /** Records of the audit log, one to a request. */
  readonly auditRecords: number;
  /** Heads of the audit log's chains: the first of a process, then at most one in ten seconds. */
  readonly auditHeads: number;
  /** Those to other tables. */
  readonly others: number;
}

export interface CountingProxy {
  readonly url: string;
  /** Since the last reset. */
  counted(): TableRequests;
  reset(): void;
  stop(): Promise<void>;
}

/** Passes requests on to a table service and counts them by method and table. */
export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  const counts = new Map<string, number>();
  const server = http.createServer((request, response) => {
    const { method = '', url: path = '', headers } = request;
    const name = `${method} ${tableOf(path)}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
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
    counted: () => summed(counts),
    reset: () => counts.clear(),
    stop: async () => {
      agent.destroy();
      await closeServer(server);
    },
  };
}

/** A transaction, which names its table in its body only, is `$batch`. */
function tableOf(path: string): string {
  return /^\/devstoreaccount1\/([$A-Za-z0-9]+)/.exec(path)?.[1] ?? 'account';
}

function summed(counts: ReadonlyMap<string, number>): TableRequests {
  const count = (name: RegExp) =>
    [...counts].reduce((sum, [each, requests]) => (name.test(each) ? sum + requests : sum), 0);
  // A prefix goes before a table's name.
  const [auditRecords, auditHeads] = [count(/^POST \w*OAuthAudit$/), count(/^PUT \w*OAuthAudit$/)];
  const all = count(/^/);
  return { all, auditRecords, auditHeads, others: all - auditRecords - auditHeads };
}
