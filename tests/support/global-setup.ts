import type { TestProject } from 'vitest/node';
import { type Azurite, startAzurite } from '../../src/host/services/azurite/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of the one Azurite that serves all suites: each takes a table prefix of its own. */
    azuriteConnectionString: string;
  }
}

let azurite: Azurite | undefined;

export async function setup(project: TestProject): Promise<void> {
  azurite = await startAzurite({ inMemory: true });
  project.provide('azuriteConnectionString', azurite.connectionString);
}

export async function teardown(): Promise<void> {
  await azurite?.stop();
}
