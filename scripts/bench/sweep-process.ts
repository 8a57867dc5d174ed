import pLimit from 'p-limit';
import { type BenchBrokerOptions, type BenchServices, startBenchBroker } from './bench-broker.ts';
import { serveParent } from './child-process.ts';

export interface SweeperOptions extends BenchBrokerOptions {
  readonly services: Pick<BenchServices, 'connectionString' | 'vaultUrl'>;
  readonly batchesAtOnce: number;
}

export interface Swept {
  readonly due: number;
  readonly refreshed: number;
  readonly seconds: number;
  /** How much of that time the process's one thread had something to do: 1 is all of it. */
  readonly busy: number;
  /** Resident memory in bytes: before the sweep, after a garbage collection, and the most of it during the sweep. */
  readonly rssBefore: number;
  readonly rssMost: number;
  /** Bytes that garbage collections before and after the sweep have left. */
  readonly heldBefore: number;
  readonly heldAfter: number;
}

export interface SweeperReady {
  /** Resident memory in bytes, before anything was swept. */
  readonly rss: number;
}

const sampleEveryMs = 25;

/** A broker that does nothing but sweep: what it takes of memory and processor is a sweep's alone. */
await serveParent(async ({ services, batchesAtOnce, ...options }: SweeperOptions) => {
  const { composition } = await startBenchBroker(services, options);
  const { broker } = composition;

  async function work(): Promise<Pick<Swept, 'due' | 'refreshed'>> {
    const { batches } = await broker.startSweep({ trigger: 'automatic', org: null });
    const limit = pLimit(batchesAtOnce);
    const counts = await limit.map(batches, (batch) => broker.workBatch(batch));
    const due = batches.reduce((sum, { grants }) => sum + grants.length, 0);
    return { due, refreshed: counts.reduce((sum, { refreshed }) => sum + refreshed, 0) };
  }

  async function sweep(): Promise<Swept> {
    const heldBefore = heldBytes();
    const memory = watchResident();
    const loop = performance.eventLoopUtilization();
    const began = performance.now();
    const worked = await work();
    const seconds = (performance.now() - began) / 1000;
    const busy = performance.eventLoopUtilization(loop).utilization;
    return { ...worked, seconds, busy, ...memory.stop(), heldBefore, heldAfter: heldBytes() };
  }

  return { started: { rss: process.memoryUsage.rss() } satisfies SweeperReady, answers: { sweep } };
});

function watchResident() {
  const rssBefore = process.memoryUsage.rss();
  let rssMost = rssBefore;
  const sample = () => {
    rssMost = Math.max(rssMost, process.memoryUsage.rss());
  };
  const watch = setInterval(sample, sampleEveryMs);
  return {
    stop() {
      clearInterval(watch);
      sample();
      return { rssBefore, rssMost };
    },
  };
}

/** Heap, and what hangs on it, without garbage. */
function heldBytes(): number {
  if (globalThis.gc === undefined) throw new Error('garbage is collected with --expose-gc only');
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
