import { dirname } from 'node:path';
import { markdownTable } from 'markdown-table';
import { accessMutants } from './mutants/access.ts';
import { leaseAndStorageMutants } from './mutants/lease-and-storage.ts';
import type { Mutant } from './mutants/mutant.ts';
import { processMutants } from './mutants/processes.ts';
import { refreshMutants } from './mutants/refresh.ts';
import { runTests } from './mutants/run-tests.ts';
import { createWorkingCopy, type WorkingCopy } from './mutants/working-copy.ts';

/**
 * The mutation gate: breaks the sources on purpose, one mutant at a time and in a copy, and wants a test to fail for
 * each. Words given as arguments choose the mutants whose names contain one of them.
 */
const inProcess = [...leaseAndStorageMutants, ...refreshMutants, ...accessMutants];
const allMutants = [...inProcess, ...processMutants(inProcess)];
const soundLimitMs = 240_000;
const mutantLimitMs = 90_000;

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => stopping.abort(`Stopped by ${signal}.`));
}

const words = process.argv.slice(2);
const chosen = allMutants.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const copy = await createWorkingCopy(dirname(import.meta.dirname));
try {
  process.exitCode = (await judge(copy, chosen)) ? 0 : 1;
} catch (error) {
  if (!stopping.signal.aborted) throw error;
  console.error(String(stopping.signal.reason));
  process.exitCode = 130;
} finally {
  await copy.remove();
}

/** Resolves to whether every mutant was killed. */
async function judge(where: WorkingCopy, mutants: readonly Mutant[]): Promise<boolean> {
  const faults = await where.faultsOf(mutants);
  for (const fault of faults) console.error(fault);
  if (faults.length > 0 || mutants.length === 0) return false;
  if (!(await isSound(where, mutants))) return false;
  const verdicts: Verdict[] = [];
  for (const mutant of mutants) {
    const verdict = await tryMutant(where, mutant);
    verdicts.push(verdict);
    console.log(`${verdict.isKilled ? 'killed  ' : 'SURVIVED'} ${mutant.name}`);
  }
  const rows = verdicts.map(({ name, said, seconds }) => [name, said, seconds.toFixed(1)]);
  console.log(`\n${markdownTable([['mutant', 'killed by', 'seconds'], ...rows])}\n`);
  const survivors = verdicts.filter(({ isKilled }) => !isKilled);
  console.log(`${verdicts.length - survivors.length} of ${verdicts.length} mutants killed.`);
  return survivors.length === 0;
}

/** A test that fails anyway kills nothing. */
async function isSound({ folder }: WorkingCopy, mutants: readonly Mutant[]): Promise<boolean> {
  for (const group of Object.values(Object.groupBy(mutants, ({ title }) => (title === undefined ? 'whole' : 'one')))) {
    const files = [...new Set(group.flatMap(({ tests }) => tests))];
    const titles = [...new Set(group.flatMap(({ title = [] }) => title))];
    const run = await runTests(folder, {
      files,
      titles,
      limitMs: soundLimitMs,
      isShort: false,
      signal: stopping.signal,
    });
    if (!run.isGreen) {
      console.error(`The tests fail without any mutant: ${run.failedTest ?? ''}\n${run.problem}`);
      return false;
    }
    console.log(`Without a mutant ${files.length} test files pass, in ${run.seconds.toFixed(1)} s.`);
  }
  return true;
}

interface Verdict {
  readonly name: string;
  readonly isKilled: boolean;
  readonly said: string;
  readonly seconds: number;
}

/** Only a test that fails kills: a mutant that does not load, or that nobody has the time to judge, does not count. */
async function tryMutant(where: WorkingCopy, mutant: Mutant): Promise<Verdict> {
  const { isGreen, failedTest, problem, seconds } = await where.withMutant(mutant, () =>
    runTests(where.folder, {
      files: mutant.tests,
      ...(mutant.title !== undefined && { titles: [mutant.title] }),
      limitMs: mutantLimitMs,
      isShort: true,
      signal: stopping.signal,
    }),
  );
  const said = failedTest ?? (isGreen ? 'NOBODY' : `NOBODY: ${problem}`);
  return { name: mutant.name, isKilled: failedTest !== null, said, seconds };
}
