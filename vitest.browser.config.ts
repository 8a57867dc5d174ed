import { defineConfig } from 'vitest/config';

/** What needs a real browser: `npm run test:browser`, with Chromium from the system. */
export default defineConfig({
  test: { include: ['tests/browser/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000, fileParallelism: false },
});
