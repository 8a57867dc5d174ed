import { randomInt } from 'node:crypto';
import { defineConfig } from 'vitest/config';

/**
 * Kills, stops and cheats real host processes: `npm run test:chaos`. CHAOS_SEED repeats a run (several, by commas: one
 * run each), CHAOS_SEEDS makes that many new ones, CHAOS_SIZE is `short`, `full` or `long`.
 */
const seeds =
  process.env.CHAOS_SEED?.split(',').map(Number) ??
  Array.from({ length: Number(process.env.CHAOS_SEEDS ?? 1) }, () => randomInt(1, 1_000_000));
if (seeds.length === 0 || seeds.some((seed) => !Number.isSafeInteger(seed))) {
  throw new Error('CHAOS_SEED must be whole numbers, CHAOS_SEEDS a number');
}
if (process.env.VITEST_WORKER_ID === undefined) console.log(`CHAOS_SEED=${seeds.join(',')} repeats this run.`);

export default defineConfig({
  test: {
    testTimeout: 240_000,
    hookTimeout: 60_000,
    // The tests are about time: they must not take the processor from each other.
    fileParallelism: false,
    projects: seeds.map((seed) => ({
      extends: true,
      test: { name: `seed ${seed}`, include: ['tests/chaos/**/*.test.ts'], provide: { chaosSeed: seed } },
    })),
  },
});
