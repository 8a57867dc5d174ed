import type { Mutant } from './mutant.ts';

const stores = 'tests/contract/azure-tables.test.ts';
const faults = 'tests/contract/azure-tables-faults.test.ts';
const tables = 'src/adapters/azure-tables';

/** Breaks of the lease, of compare-and-swap and of what a row may hold. */
export const leaseAndStorageMutants: readonly Mutant[] = [
  {
    name: 'no lease: a claim succeeds although somebody holds it',
    file: `${tables}/grant-claim.ts`,
    anchor: "    if (isHeld(current, leaseMs)) return { kind: 'busy', stored: current };\n",
    replacement: '',
    tests: [stores],
  },
  {
    name: 'lease too short: 3 s',
    file: `${tables}/index.ts`,
    anchor: 'const defaultLeaseMs = 30_000;',
    replacement: 'const defaultLeaseMs = 3000;',
    tests: [stores],
  },
  {
    name: 'lease too short in the eyes of others',
    file: `${tables}/grant-claim.ts`,
    anchor: 'rowOf(stored).ageMs < leaseMs;',
    replacement: 'rowOf(stored).ageMs < leaseMs / 2;',
    tests: ['tests/contract/lease-time.test.ts'],
  },
  {
    name: 'unconditional update: the ETag is *',
    file: `${tables}/table.ts`,
    anchor: "'Merge', { ...options, etag: row.etag });",
    replacement: "'Merge', { ...options, etag: '*' });",
    tests: [stores],
  },
  {
    name: 'upsert: an update of a deleted row brings it back',
    file: `${tables}/table.ts`,
    anchor: "await client.updateEntity(toEntity(row, columns), 'Merge', { ...options, etag: row.etag });",
    replacement: `await client
            .updateEntity(toEntity(row, columns), 'Merge', { ...options, etag: row.etag })
            .catch((error) => {
              if (statusOf(error) !== 404) throw error;
              return client.upsertEntity(toEntity(row, merged), 'Merge', options);
            });`,
    tests: [stores],
  },
  {
    name: 'a takeover is not noted',
    file: `${tables}/grant-claim.ts`,
    anchor: 'isOutcomeUnknown: isTakeover }',
    replacement: 'isOutcomeUnknown: false }',
    tests: [stores],
  },
  {
    name: 'an ambiguous commit is judged by the last attempt alone',
    file: `${tables}/grant-commit.ts`,
    anchor: '[lease.committedAttempt, ...lease.earlierAttempts].includes(attempt)',
    replacement: '[lease.committedAttempt].includes(attempt)',
    tests: [faults],
  },
  {
    name: 'a commit does not look at the generation',
    file: `${tables}/grant-commit.ts`,
    anchor: 'if (generation !== base.generation || seq !== base.seq)',
    replacement: 'if (seq !== base.seq)',
    tests: [stores],
  },
  {
    name: 'the place in a sealed payload is not checked',
    file: `${tables}/sealed-place.ts`,
    anchor: 'if (place[name as keyof typeof place] !== expected)',
    replacement: 'if (place[name as keyof typeof place] === undefined)',
    tests: ['tests/contract/azure-tables-rows.test.ts'],
  },
];
