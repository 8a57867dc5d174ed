import { availableParallelism } from 'node:os';
import autocannon from 'autocannon';
import pLimit from 'p-limit';
import { toConnectionName, toOrgId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import { type BenchBroker, type BenchServices, startBenchBroker } from './bench-broker.ts';
import { ownCpuSeconds } from './child-process.ts';
import { type Measure, ratio } from './measure.ts';
import { benchConfig } from './seed.ts';

const due = 10_000;
const seededAtOnce = 32;
const batchesAtOnce = 8;
const untilDueMs = 4.1 * 3_600_000;
const megabyte = 1024 * 1024;

/** A sweep of many due grants in one process, against what the authorization server alone can answer. */
export async function measureThroughput(services: BenchServices): Promise<readonly Measure[]> {
  const bench = await startBenchBroker(services, 'throughput', { isCounted: false });
  try {
    await seedConnections(bench, services);
    const alone = await maximumOf(services);
    bench.advance(untilDueMs);
    globalThis.gc?.();
    const rssBefore = process.memoryUsage().rss;
    let rssMost = rssBefore;
    const watch = setInterval(() => {
      rssMost = Math.max(rssMost, process.memoryUsage().rss);
    }, 50);
    const cpuBefore = await cpuSeconds(services);
    const began = performance.now();
    const refreshed = await sweep(bench);
    const seconds = (performance.now() - began) / 1000;
    const load = describeLoad(cpuBefore, await cpuSeconds(services), seconds);
    const rate = due / seconds;
    clearInterval(watch);
    const figure = rate / alone;
    const grownMb = (rssMost - rssBefore) / megabyte;
    return [
      {
        name: `refreshes of ${due} due grants, against the authorization server’s own maximum`,
        figure: `${ratio(figure)} (${Math.round(rate)}/s of ${Math.round(alone)}/s)`,
        aim: '0.50 or more',
        isMet: figure >= 0.5 && refreshed === due,
        note: `${refreshed} refreshed; ${load}`,
      },
      {
        name: 'growth of memory during it',
        figure: `${grownMb.toFixed(0)} MB`,
        aim: 'under 100 MB',
        isMet: grownMb < 100,
        note: 'resident set of the broker’s process',
      },
    ];
  } finally {
    await bench.stop();
  }
}

/** Connections that get their tokens with the client's own credentials, each with a first token. */
async function seedConnections({ composition }: BenchBroker, { client, tokenUrl }: BenchServices): Promise<void> {
  const limit = pLimit(seededAtOnce);
  const config = { ...benchConfig(tokenUrl), flowType: 'client_credentials', clientId: client.clientId } as const;
  const create = (index: number) =>
    composition.broker.createConnection({
      org: toOrgId(`org-${index % 100}`),
      name: toConnectionName(`c-${index}`),
      callerId: 'bench',
      config,
      clientSecret: new Secret(client.clientSecret),
      fallbackApiKey: null,
      signingKey: { privateKey: undefined, algorithm: null },
      apiKey: null,
      refreshToken: null,
      connect: true,
    });
  await Promise.all(Array.from({ length: due }, (_, index) => limit(() => create(index))));
}

/** Token requests a second that the authorization server answers when nobody else is at work. */
async function maximumOf({ client, tokenUrl }: BenchServices): Promise<number> {
  const basic = Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64');
  const result = await autocannon({
    url: tokenUrl,
    method: 'POST',
    connections: 16,
    duration: 8,
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  if (result.non2xx > 0) throw new Error('the authorization server refused');
  return result.requests.average;
}

async function sweep({ composition: { broker } }: BenchBroker): Promise<number> {
  const { batches } = await broker.startSweep({ trigger: 'automatic', org: null });
  const limit = pLimit(batchesAtOnce);
  const counts = await Promise.all(batches.map((batch) => limit(() => broker.workBatch(batch))));
  return counts.reduce((sum, each) => sum + each.refreshed, 0);
}

type CpuSeconds = Readonly<Record<string, number>>;

async function cpuSeconds(services: BenchServices): Promise<CpuSeconds> {
  const { storage, services: server } = await services.cpuSeconds();
  return { broker: ownCpuSeconds(), 'emulated storage': storage, 'authorization server': server };
}

/** Who took how much of the processor, and how many refreshes a second that allows at best. */
function describeLoad(before: CpuSeconds, after: CpuSeconds, seconds: number): string {
  const taken = Object.entries(after)
    .map(([name, value]) => ({ name, value: value - (before[name] ?? 0) }))
    .toSorted((a, b) => b.value - a.value);
  const cores = availableParallelism();
  const all = taken.reduce((sum, { value }) => sum + value, 0);
  const list = taken.map(({ name, value }) => `${name} ${value.toFixed(1)} s (at most ${perSecond(value)} on a core)`);
  return `processor time in ${seconds.toFixed(1)} s: ${list.join(', ')}; together at most ${perSecond(all / cores)} on ${cores} cores. A refresh is five table requests, an audit record and a call to the provider; the aim compares it with that call alone`;
}

function perSecond(cpuSecondsOfAll: number): string {
  return `${Math.round(due / cpuSecondsOfAll)}/s`;
}
