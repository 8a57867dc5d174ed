import type { Mutant } from './mutant.ts';

/** A break of another suite, and the test with real processes that must notice it as well. */
interface Pair {
  readonly name: string;
  readonly test: string;
  readonly title: string;
}

const pairs: readonly Pair[] = [
  {
    name: 'no lease: a claim succeeds although somebody holds it',
    test: 'one-refresh',
    title: 'a lapsed grant is refreshed once',
  },
  {
    name: 'credential cache without organisation in its key',
    test: 'organisations',
    title: 'no token crosses from one organisation to another',
  },
  {
    name: 'state not consumed',
    test: 'callback-once',
    title: 'a callback that arrives twenty times',
  },
  {
    name: 'upsert: an update of a deleted row brings it back',
    test: 'deleted',
    title: 'what is deleted while a refresh is under way stays deleted',
  },
  {
    name: 'index before commit',
    test: 'kill-points-around',
    title: 'without a reconcile',
  },
];

/** What only these tests see: a storage that answers late, and a process that ends. */
const own: readonly Mutant[] = [
  {
    // The app's own drain and that of the embedded host each suffice here: only without both is anything lost.
    name: 'no drain: the process ends at the signal',
    file: 'src/host/run-host.ts',
    anchor: '  await host.stop();\n',
    replacement: '  void host.stop();\n',
    tests: ['tests/chaos/drain.test.ts'],
    title: 'SIGTERM in the middle of refreshes costs nothing',
  },
  {
    name: 'what is remembered of a grant goes back in time',
    file: 'src/usecases/credentials/get-credentials.ts',
    anchor: '  if (isSame && known.seq > seq) return;\n',
    replacement: '',
    tests: ['tests/chaos/reads-in-order.test.ts'],
    title: 'an answer of storage that comes late',
  },
];

/** The tests with real processes must bite too: the breaks of others, of which they see only what an outsider sees. */
export function processMutants(others: readonly Mutant[]): readonly Mutant[] {
  const found = pairs.map(({ name, test, title }): Mutant => {
    const mutant = others.find((each) => each.name === name);
    if (mutant === undefined) throw new Error(`There is no mutant "${name}".`);
    return { ...mutant, name: `${name} (real processes)`, tests: [`tests/chaos/${test}.test.ts`], title };
  });
  return [...found, ...own];
}
