import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What is tested here needs nothing from outside: the network is off. */
const pure = ['domain', 'usecases', 'oauth', 'crypto', 'providers', 'settings', 'architecture', 'infra'].map(
  (folder) => `tests/unit/${folder}/**/*.test.ts`,
);
const pureFiles = 'tests/unit/*.test.ts';

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
    ],
  },
});
