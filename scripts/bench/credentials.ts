import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import autocannon from 'autocannon';
import type { HostJson } from '../../src/host/start-host.ts';
import { type Measure, median, ratio } from './measure.ts';

const rounds = 5;
const roundSeconds = 4;
const connections = 10;
const startLimitMs = 20_000;

/** Warm credentials over HTTP, against a function that does nothing behind the same authentication. */
export async function measureCredentials(): Promise<readonly Measure[]> {
  const home = await mkdtemp(join(tmpdir(), 'bowline-bench-'));
  // Counted as ever, and never refused.
  const environment = {
    PATH: process.env.PATH ?? '',
    BOWLINE_HOME: home,
    BOWLINE_PORT: '0',
    RATE_LIMIT_PER_MINUTE: '999999999',
  };
  const entry = join(import.meta.dirname, 'host-entry.ts');
  const host = spawn(process.execPath, [entry], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  try {
    const hostJson = await readyHost(home);
    await createConnection(hostJson);
    return await compare(hostJson);
  } finally {
    host.kill('SIGTERM');
    await once(host, 'close');
    await rm(home, { recursive: true });
  }
}

async function compare({ url, admin_key }: HostJson): Promise<readonly Measure[]> {
  const headers = { 'x-api-key': admin_key ?? '', 'x-organization-id': 'ORG1' };
  const load = (path: string) => autocannon({ url: `${url}${path}`, headers, connections, duration: roundSeconds });
  const perSecond: number[] = [];
  const p99: number[] = [];
  await load('/api/oauth/credentials/bench');
  for (let round = 0; round < rounds; round += 1) {
    const nothing = await load('/api/bench/noop');
    const credentials = await load('/api/oauth/credentials/bench');
    if (credentials.non2xx + nothing.non2xx > 0) throw new Error('a call was refused');
    perSecond.push(credentials.requests.average / nothing.requests.average);
    p99.push(credentials.latency.p99 / Math.max(1, nothing.latency.p99));
  }
  const note = `median of ${rounds} rounds of ${roundSeconds} s, ${connections} connections`;
  return [
    {
      name: 'credentials, warm: requests per second against a function that does nothing',
      figure: ratio(median(perSecond)),
      aim: '0.80 or more',
      isMet: median(perSecond) >= 0.8,
      note: `${note}; validation, the cache and a longer answer are the difference`,
    },
    {
      name: 'credentials, warm: p99 against a function that does nothing',
      figure: ratio(median(p99)),
      aim: '1.50 or less',
      isMet: median(p99) <= 1.5,
      note: `${note}; the load generator counts in whole milliseconds`,
    },
  ];
}

async function readyHost(home: string): Promise<HostJson> {
  for (let waitedMs = 0; waitedMs < startLimitMs; waitedMs += 100) {
    const text = await readFile(join(home, 'host.json'), 'utf8').catch(() => undefined);
    if (text !== undefined) return JSON.parse(text) as HostJson;
    await delay(100);
  }
  throw new Error('the host did not start');
}

async function createConnection({ url, admin_key, demo_provider: demo }: HostJson): Promise<void> {
  if (demo === null) throw new Error('the host has no demo provider');
  const created = await fetch(`${url}/api/oauth/connections?connect=true`, {
    method: 'POST',
    headers: { 'x-api-key': admin_key ?? '', 'x-organization-id': 'ORG1', 'content-type': 'application/json' },
    body: JSON.stringify({
      connection_name: 'bench',
      oauth_flow_type: 'client_credentials',
      client_id: demo.client_id,
      client_secret: demo.client_secret,
      token_url: `${demo.issuer}/token`,
      scopes: 'read',
    }),
  });
  if (created.status !== 201) throw new Error(`no connection: ${await created.text()}`);
}
