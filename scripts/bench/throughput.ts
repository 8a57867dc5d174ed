import { type BenchServices, newEncryptionKey, startBenchBroker, startService } from './bench-broker.ts';
import { type BenchProcess, startBenchProcess } from './child-process.ts';
import { type Measure, ratio } from './measure.ts';
import { type CpuSeconds, describeLoad } from './processor-load.ts';
import { refreshesPerSecond, type TokenClient } from './refresh-chains.ts';
import { seedConnections, untilDueMs } from './seed.ts';
import type { SweeperOptions, Swept } from './sweep-process.ts';

/** Its seeding takes about twice as long as its sweep. */
const due = 3_000;
const warmUp = 500;
const organisations = 100;
const batchesAtOnce = 8;
const chains = 16;
const prefix = 'throughput';
const megabyte = 1024 * 1024;

type AuthorizationServerProcess = BenchProcess<TokenClient>;
type Sweeper = BenchProcess<object>;

interface Result {
  readonly swept: Swept;
  /** Refreshes a second that the authorization server answers alone. */
  readonly alone: number;
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
  const alone = await refreshesPerSecond(server.started, await mint(chains));
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
  return { swept, alone, load: describeLoad({ before, after: await cpuSeconds(), ...swept }) };
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
  return startBenchProcess<object>(new URL('./sweep-process.ts', import.meta.url), options);
}

function measuresOf({ swept, alone, load }: Result): readonly Measure[] {
  const { refreshed, seconds, rssBefore, rssMost } = swept;
  const rate = refreshed / seconds;
  const isWhole = swept.due === due && refreshed === due;
  const grownMb = (rssMost - rssBefore) / megabyte;
  const whole = isWhole ? '' : `${refreshed} of ${swept.due} were refreshed. `;
  return [
    {
      name: `refreshes of ${due} due grants with rotating refresh tokens, against the authorization server’s own maximum of such refreshes`,
      figure: `${ratio(rate / alone)} (${Math.round(rate)}/s of ${Math.round(alone)}/s)`,
      aim: '0.50 or more',
      isMet: rate / alone >= 0.5 && isWhole,
      note: `${whole}One sweep in one process, which works ${batchesAtOnce} batches of 16 at once, without queue and host; connections of ${organisations} organisations, each with a client secret of its own in the vault; each call to the server on a TCP connection of its own. The maximum: ${chains} chains of refresh tokens side by side on TCP connections that stay open, nobody else at work. A refresh is five table requests, an audit record, a read of the vault and the call; the aim compares it with the call alone. ${load}`,
    },
    {
      name: 'growth of memory during it',
      figure: `${grownMb.toFixed(0)} MB`,
      aim: 'under 100 MB',
      isMet: grownMb < 100 && isWhole,
      note: `resident set of a process that does nothing but sweep: from ${toMb(rssBefore)}, after a sweep of ${warmUp} and a garbage collection, to at most ${toMb(rssMost)}`,
    },
  ];
}

function toMb(bytes: number): string {
  return `${Math.round(bytes / megabyte)} MB`;
}
