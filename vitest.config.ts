import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What is tested here needs nothing from outside: the network is off. */
const pure = ['domain', 'usecases', 'oauth', 'crypto', 'providers', 'settings', 'architecture', 'infra'].map(
  (folder) => `tests/unit/${folder}/**/*.test.ts`,
);
const pureFiles = 'tests/unit/*.test.ts';

/** Every invariant in short, on a new seed: vitest.chaos.config.ts does more. */
const chaosSeed = Number(process.env.CHAOS_SEED?.split(',')[0] ?? randomInt(1, 1_000_000));
if (!Number.isSafeInteger(chaosSeed)) throw new Error('CHAOS_SEED must be a whole number');

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 30_000,
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: [...pure, pureFiles], setupFiles: ['tests/support/no-network.ts'] },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['tests/**/*.test.ts'],
          exclude: [...pure, pureFiles, 'tests/browser/**', 'tests/chaos/**'],
          globalSetup: ['tests/support/global-setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: `chaos, seed ${chaosSeed}`,
          include: ['tests/chaos/**/*.test.ts'],
          env: { CHAOS_SIZE: 'short' },
          provide: { chaosSeed },
          testTimeout: 120_000,
          hookTimeout: 60_000,
          // After the others: these tests are about time, and must not take the processor from anybody.
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
        },
      },
    ],
  },
});
