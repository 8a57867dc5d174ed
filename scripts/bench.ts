import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { markdownTable } from 'markdown-table';
import { startBenchServices } from './bench/bench-broker.ts';
import { startBenchProcess } from './bench/child-process.ts';
import { measureCredentials } from './bench/credentials.ts';
import type { Measure } from './bench/measure.ts';
import { measureSweepCost } from './bench/sweep-cost.ts';
import { measureTableRequests } from './bench/table-requests.ts';
import { measureThroughput } from './bench/throughput.ts';

/** Measures what docs/benchmarks.md shows, each as a ratio within this run, prints the table and writes the page. */
const measures: Measure[] = [];
const take = (...taken: readonly Measure[]): void => {
  measures.push(...taken);
  for (const { name, figure, aim, isMet } of taken)
    console.log(`${isMet ? 'met ' : 'MISS'} ${name}: ${figure} (aim: ${aim})`);
};

const sealing = await startBenchProcess<Measure>(new URL('./bench/sealing-process.ts', import.meta.url), {});
take(sealing.started);
await sealing.stop();
take(...(await measureCredentials()));
const services = await startBenchServices();
try {
  take(...(await measureTableRequests(services)));
  take(...(await measureThroughput(services)));
  take(...(await measureSweepCost(services)));
} finally {
  await services.stop();
}

const rows = measures.map(({ name, figure, aim, isMet }) => [name, figure, aim, isMet ? 'yes' : 'no']);
const table = markdownTable([['what', 'figure', 'aim', 'met'], ...rows]);
const notes = measures.map(({ name, note }) => `- **${name}**: ${note}.`).join('\n');
const gigabytes = Math.round(totalmem() / 1024 ** 3);
const page = `# Benchmarks

\`npm run bench\` measures these, prints them and writes this page. Every figure is a ratio or a count within one run on one machine, because bare times say more about the machine than about Bowline.

Machine: ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${gigabytes} GB, ${process.platform}, Node ${process.versions.node}. Storage, vault and authorization server run beside the broker on the same cores.

${table}

## How each was taken, and what holds it back

${notes}
`;
writeFileSync(join(import.meta.dirname, '..', 'docs', 'benchmarks.md'), page);
console.log(`\n${table}\n\n${notes}\n\nWritten to docs/benchmarks.md.`);
