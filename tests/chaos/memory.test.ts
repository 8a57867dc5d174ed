import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { seedDueGrants } from './support/bulk-grants.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { quietSchedule } from './support/due.ts';
import { finishedJob, sweep } from './support/jobs.ts';
import { isPut, textOf } from './support/queue.ts';
import { sized } from './support/size.ts';
import { startTokenServer, type TokenServer } from './support/token-server.ts';
import { useWorld } from './support/world.ts';

/** I15 in full asks for 10,000. */
const load = sized({
  short: { warmUp: 200, grants: 300 },
  full: { warmUp: 300, grants: 1000 },
  long: { warmUp: 1000, grants: 10_000 },
});
/** With memory to spare, garbage lies about for as long as V8 likes, and what grows says nothing of what is held. */
const heapMb = 128;
/** At the most: garbage, whose amount is V8's affair, and messages, of which bigger sweeps have more. 100 for 10,000. */
const mostGrowthMb = 60 + load.grants / 250;
/** Afterwards, without garbage: caches that fill, and less for each grant than a grant takes. 1 to 4 MB were measured. */
const mostHeldKb = 8000 + 4 * load.grants;
/** Calls to one provider at once, of one process. */
const mostAtOnce = 16;
const mostInMessage = 16;
const serverCount = 2;
const answerAfterMs = 20;
const sampleEveryMs = 25;
const jobLimitMs = 500_000;
const dayMs = 86_400_000;

interface Message {
  readonly kind: string;
  readonly grants: readonly { readonly connection: string }[];
}

const preload = new URL('./support/heap-report.ts', import.meta.url).href;
const reportPath = () => join(folder, 'held');
let folder: string;

const getWorld = useWorld({ providers: [], environment: quietSchedule() });
let host: ChaosHost;
let servers: TokenServer[];
const messages: Message[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-heap-'));
  const world = getWorld();
  servers = await Promise.all(Array.from({ length: serverCount }, () => startTokenServer({ answerAfterMs })));
  host = await world.startHost({
    NODE_OPTIONS: `--max-old-space-size=${heapMb} --import=${preload}`,
    CHAOS_HEAP_REPORT: reportPath(),
    // Tens of thousands of requests: only the queue goes through a proxy.
    OAuthStorage: world.connectionString.replace(/(?<=QueueEndpoint=)http:\/\/[^/]+/, world.queue.origin),
  });
  world.queue.observe({
    received: (request) => {
      if (isPut(request)) messages.push(JSON.parse(Buffer.from(textOf(request), 'base64').toString()));
    },
  });
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true });
});

interface Seeded {
  readonly account: string;
  readonly connection: string;
  readonly server: TokenServer;
}

/** Two connections of each server, so that a message may mix connections and must not mix servers. */
async function seed(prefix: string, count: number): Promise<Seeded[]> {
  const connections = Array.from({ length: serverCount * 2 }, (_, index) => `${prefix}-${index}`);
  const all: Seeded[] = [];
  for (const [at, connection] of connections.entries()) {
    const server = servers[at % serverCount] as TokenServer;
    const own = Array.from({ length: count / connections.length }, (_, index) => `user-${index}`);
    const accountOf = (userId: string) => `${connection}/${userId}`;
    await seedDueGrants(getWorld(), {
      connection,
      tokenUrl: server.tokenUrl,
      userIds: own,
      refreshTokenOf: (userId) => server.open(accountOf(userId), (2 * dayMs) / 1000),
    });
    all.push(...own.map((userId) => ({ account: accountOf(userId), connection, server })));
  }
  return all;
}

/** Sweeps once, works all of it off, and expects each grant to be refreshed once. */
async function refreshAll(grants: readonly Seeded[]): Promise<void> {
  const jobId = await sweep(getWorld(), host);
  const job = await finishedJob(host, jobId, jobLimitMs);
  expect(job).toMatchObject({ due: grants.length, refreshed: grants.length, skipped: 0, failed: 0 });
  const odd = grants.filter(({ server, account }) => server.issuedTo(account).length !== 1);
  expect(odd.map(({ account }) => account)).toEqual([]);
}

/** The memory of the host process that is in RAM, in MB. */
function residentMb(): number {
  const status = readFileSync(`/proc/${host.process.child.pid}/status`, 'utf8');
  // A process that is ending has no such line.
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

/** What the host process holds when its garbage is collected, in KB. */
async function heldKb(): Promise<number> {
  const path = reportPath();
  rmSync(path, { force: true });
  host.process.child.kill('SIGUSR2');
  return vi.waitUntil(() => existsSync(path) && Number(readFileSync(path, 'utf8')) / 1024, {
    timeout: 10_000,
  });
}

async function peakWhile(work: () => Promise<void>): Promise<number> {
  let peakMb = residentMb();
  const sampling = setInterval(() => {
    peakMb = Math.max(peakMb, residentMb());
  }, sampleEveryMs);
  try {
    await work();
  } finally {
    clearInterval(sampling);
  }
  return peakMb;
}

// Other systems have no /proc.
it.runIf(process.platform === 'linux')(
  'a sweep takes memory, calls and messages within their bounds',
  async () => {
    const warm = await seed('warm', load.warmUp);
    await refreshAll(warm);
    const grants = await seed('bulk', load.grants);
    messages.length = 0;

    const beforeMb = residentMb();
    expect(beforeMb).toBeGreaterThan(0);
    const heldBeforeKb = await heldKb();
    const peakMb = await peakWhile(() => refreshAll(grants));
    const heldMoreKb = (await heldKb()) - heldBeforeKb;
    const [before, peak, held] = [beforeMb, peakMb, heldMoreKb].map((size) => size.toFixed(0));
    console.log(`${load.grants} grants: ${before} MB before, ${peak} MB at the most; ${held} KB more held afterwards`);
    expect(peakMb - beforeMb, 'growth in MB').toBeLessThan(mostGrowthMb);
    expect(heldMoreKb, 'growth in KB that is no garbage').toBeLessThan(mostHeldKb);
    for (const server of servers) {
      expect(server.refused).toEqual([]);
      expect(server.mostAtOnce(), 'token requests at once').toBeLessThanOrEqual(mostAtOnce);
      expect(server.mostAtOnce(), 'there were some at once').toBeGreaterThan(1);
    }
    expectBoundedMessages(grants);
  },
  2 * jobLimitMs,
);

function expectBoundedMessages(grants: readonly Seeded[]): void {
  const serverOf = new Map(grants.map(({ connection, server }) => [connection, server]));
  for (const message of messages) {
    expect(message.kind).toBe('refresh');
    expect(message.grants.length).toBeLessThanOrEqual(mostInMessage);
    const named = new Set(message.grants.map(({ connection }) => serverOf.get(connection)));
    expect(named.size, 'authorization servers of one message').toBe(1);
    expect(named, 'only of these').not.toContain(undefined);
  }
  const ideal = servers.map((server) =>
    Math.ceil(grants.filter((each) => each.server === server).length / mostInMessage),
  );
  expect(messages, 'no more messages than needed').toHaveLength(ideal.reduce((sum, count) => sum + count, 0));
  expect(messages.flatMap((message) => message.grants)).toHaveLength(grants.length);
}
