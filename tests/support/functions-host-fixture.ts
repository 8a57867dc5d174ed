import { once } from 'node:events';
import net from 'node:net';
import {
  type FunctionsHost,
  type FunctionsHostOptions,
  startFunctionsHost,
} from '../../src/host/functions-host/index.ts';

export const testMasterKey = 'master-key-of-the-test';

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestHost extends FunctionsHost {
  readonly lines: readonly LogLine[];
  /** `fetch` on a path of this host. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Sends bytes as they are, and gives everything that comes back until the host closes the connection. */
  raw(text: string): Promise<string>;
}

/** A host on a free port, with schedules off and no queues, whose functions `register` registers. */
export async function startTestHost(
  register: (baseUrl: string) => void | Promise<void>,
  overrides: Partial<FunctionsHostOptions> = {},
): Promise<TestHost> {
  const lines: LogLine[] = [];
  const host = await startFunctionsHost({
    loadApp: async (baseUrl) => register(baseUrl),
    routePrefix: 'api',
    port: 0,
    masterKey: testMasterKey,
    openQueue: () => {
      throw new Error('This test has no queues.');
    },
    queueSettings: { visibilityTimeoutSeconds: 0, maxDequeueCount: 3, batchSize: 4, maxPollingIntervalMs: 200 },
    runTimers: false,
    log: (level, message, fields = {}) => lines.push({ level, message, fields }),
    ...overrides,
  });
  return {
    ...host,
    lines,
    get: (path, init) => fetch(`${host.url}${path}`, init),
    raw: (text) => sendRaw(host.url, text),
  };
}

async function sendRaw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  socket.setEncoding('latin1').on('data', (chunk) => {
    answer += chunk;
  });
  await once(socket, 'connect');
  socket.write(text, 'latin1');
  await once(socket, 'close');
  return answer;
}
