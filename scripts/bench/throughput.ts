import { hostFlags } from '../launch/host-flags.mjs';
import { type BenchServices, newEncryptionKey, startBenchBroker, startService } from './bench-broker.ts';
import { type BenchProcess, startBenchProcess } from './child-process.ts';
import { type Measure, ratio } from './measure.ts';
import { type CpuSeconds, describeLoad } from './processor-load.ts';
import { refreshesPerSecond, type TokenClient } from './refresh-chains.ts';
import { seedConnections, untilDueMs } from './seed.ts';
import type { SweeperOptions, SweeperReady, Swept } from './sweep-process.ts';

/** Seeding them takes somewhat longer than sweeping them. */
const due = 10_000;
const warmUp = 500;
const organisations = 100;
const batchesAtOnce = 8;
const chains = 16;
const prefix = 'throughput';
const megabyte = 1024 * 1024;

type AuthorizationServerProcess = BenchProcess<TokenClient>;
type Sweeper = BenchProcess<SweeperReady>;

/** What the authorization server does when nobody else is at work. */
interface Alone {
  readonly perSecond: number;
  /** Of one core: near 1, the server is what limits. */
  readonly cores: number;
}

interface Result {
  readonly swept: Swept;
  /** Resident memory of the broker before anything was swept. */
  readonly rssReady: number;
  readonly alone: Alone;
  readonly load: string;
}

/** A sweep of many due grants in one process, against what the authorization server alone can answer. */
export async function measureThroughput(services: BenchServices): Promise<readonly Measure[]> {
  const server = await startService<TokenClient>('authorizationServer');
  const encryptionKey = newEncryptionKey();
  const sweeper = await startSweeper(services, encryptionKey);
  try {
    return measuresOf(await run(services, { server, sweeper, encryptionKey }));
  } finally {
    await Promise.all([sweeper.stop(), server.stop()]);
  }
}

interface Parts {
  readonly server: AuthorizationServerProcess;
  readonly sweeper: Sweeper;
  readonly encryptionKey: string;
}

async function run(services: BenchServices, { server, sweeper, encryptionKey }: Parts): Promise<Result> {
  const mint = (count: number) => server.ask<readonly string[]>('mint', count);
  const bench = await startBenchBroker(services, { prefix, encryptionKey, isCounted: false });
  const seed = async (name: string, count: number) =>
    seedConnections(bench, { ...server.started, prefix: name, refreshTokens: await mint(count), organisations });
  try {
    await seed('warm', warmUp);
    await sweeper.ask<Swept>('sweep');
    await seed('due', due);
  } finally {
    await bench.stop();
  }
  const alone = await maximumOf(server, await mint(chains));
  const cpuSeconds = async (): Promise<CpuSeconds> => {
    const { storage, vault } = await services.cpuSeconds();
    return {
      broker: await sweeper.cpuSeconds(),
      'emulated storage': storage,
      'emulated vault': vault,
      'authorization server': await server.cpuSeconds(),
    };
  };
  const before = await cpuSeconds();
  const swept = await sweeper.ask<Swept>('sweep');
  const load = describeLoad({ before, after: await cpuSeconds(), ...swept });
  return { swept, rssReady: sweeper.started.rss, alone, load };
}

async function maximumOf(server: AuthorizationServerProcess, refreshTokens: readonly string[]): Promise<Alone> {
  const cpuBefore = await server.cpuSeconds();
  const began = performance.now();
  const perSecond = await refreshesPerSecond(server.started, refreshTokens);
  const seconds = (performance.now() - began) / 1000;
  return { perSecond, cores: ((await server.cpuSeconds()) - cpuBefore) / seconds };
}

/** A broker on the same tables, past whose clock everything is due. */
function startSweeper({ connectionString, vaultUrl }: BenchServices, encryptionKey: string): Promise<Sweeper> {
  const options: SweeperOptions = {
    services: { connectionString, vaultUrl },
    batchesAtOnce,
    prefix,
    encryptionKey,
    aheadMs: untilDueMs,
    isCounted: false,
  };
  const entry = new URL('./sweep-process.ts', import.meta.url);
  return startBenchProcess<SweeperReady>(entry, options, ['--expose-gc', ...hostFlags]);
}

function measuresOf({ swept, rssReady, alone, load }: Result): readonly Measure[] {
  const { refreshed, seconds, rssBefore, rssMost, heldBefore, heldAfter } = swept;
  const rate = refreshed / seconds;
  const share = rate / alone.perSecond;
  const isWhole = swept.due === due && refreshed === due;
  const grownMb = (rssMost - rssBefore) / megabyte;
  const whole = isWhole ? '' : `${refreshed} of ${swept.due} were refreshed. `;
  return [
    {
      name: `refreshes of ${due} due grants with rotating refresh tokens, against the authorization server’s own maximum of such refreshes`,
      figure: `${ratio(share)} (${Math.round(rate)}/s of ${Math.round(alone.perSecond)}/s)`,
      aim: '0.50 or more',
      isMet: share >= 0.5 && isWhole,
      note: `${whole}One sweep in one process, which works ${batchesAtOnce} batches of 16 at once, without queue and host; connections of ${organisations} organisations, each with a client secret of its own in the vault; each call to the server on a TCP connection of its own. The maximum: ${chains} chains of refresh tokens side by side on TCP connections that stay open, nobody else at work; the server took ${ratio(alone.cores)} of a core. A refresh is five table requests, an audit record, a read of the vault and the call; the aim compares it with the call alone. ${load}`,
    },
    {
      name: 'growth of memory during it',
      figure: `${grownMb.toFixed(0)} MB`,
      aim: 'under 100 MB',
      isMet: grownMb < 100 && isWhole,
      note: `resident set of a process that does nothing but sweep, with the flags that a host has (${hostFlags.join(' ')}): ${toMb(rssReady)} when it was ready, ${toMb(rssBefore)} after a first sweep of ${warmUp} and a garbage collection, which growth is counted from, and at most ${toMb(rssMost)}. A collection before the sweep left ${toMb(heldBefore)} in use, one after it ${toMb(heldAfter)}: what is beyond that is garbage not collected yet, and room for it`,
    },
  ];
}

function toMb(bytes: number): string {
  return `${Math.round(bytes / megabyte)} MB`;
}
