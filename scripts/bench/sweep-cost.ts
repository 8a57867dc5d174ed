import { type BenchServices, startBenchBroker } from './bench-broker.ts';
import { type Measure, ratio } from './measure.ts';
import { dueLaterMs, dueSoonMs, seedGrants, untilDueMs } from './seed.ts';
import { startTokenServer } from './token-server.ts';

const due = 1000;
const most = 100_000;

/** What a sweep costs when many grants exist, against the same number due among few. */
export async function measureSweepCost(services: BenchServices): Promise<readonly Measure[]> {
  const server = await startTokenServer(8 * 3600);
  try {
    const few = await sweepRequests(services, server.url, 'few', due);
    const many = await sweepRequests(services, server.url, 'many', most);
    const isWhole = many.refreshed === due && few.refreshed === due;
    const measure = (what: string, of: number, against: number, note: string): Measure => ({
      name: `${what} with ${due} due among ${most} grants, against ${due} among ${due}`,
      figure: `${ratio(of / against)} (${of} and ${against})`,
      aim: 'within 10 %',
      isMet: Math.abs(of / against - 1) <= 0.1 && isWhole,
      note,
    });
    return [
      measure(
        'requests to find what is due',
        many.begun,
        few.begun,
        'the job’s two writes included; counted by a proxy',
      ),
      measure('requests of a whole sweep', many.all, few.all, 'all batches, refreshes included; counted by a proxy'),
    ];
  } finally {
    await server.stop();
  }
}

async function sweepRequests(services: BenchServices, tokenUrl: string, prefix: string, grants: number) {
  const bench = await startBenchBroker(services, { prefix });
  const { broker } = bench.composition;
  try {
    await seedGrants(bench, { org: 'DUE', count: due, tokenUrl, endsInMs: dueSoonMs });
    if (grants > due) {
      await seedGrants(bench, { org: 'LATER', count: grants - due, tokenUrl, endsInMs: dueLaterMs });
    }
    bench.advance(untilDueMs);
    bench.tables.reset();
    const { batches } = await broker.startSweep({ trigger: 'automatic', org: null });
    const begun = bench.tables.counted().all;
    let refreshed = 0;
    for (const batch of batches) refreshed += (await broker.workBatch(batch)).refreshed;
    return { begun, all: bench.tables.counted().all, refreshed };
  } finally {
    await bench.stop();
  }
}
