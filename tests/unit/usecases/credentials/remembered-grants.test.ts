import { expect, it } from 'vitest';
import { createMemoryCache } from '../../../../src/adapters/system/memory-cache.ts';
import type { StoredConnection } from '../../../../src/ports/connection-store.ts';
import type { RowVersion } from '../../../../src/ports/grant-store.ts';
import { createGetCredentials } from '../../../../src/usecases/credentials/get-credentials.ts';
import { ownKey, sampleConnection, sampleGrant, sampleTokens } from '../../../support/tables-samples.ts';
import { createVirtualClock } from '../../../support/virtual-clock.ts';

const readMs = 20;
const cacheMs = 5000;
const connection = sampleConnection();

/** Storage that answers after a while with what there was when it was asked. */
function createReader() {
  const clock = createVirtualClock();
  const cache = createMemoryCache<never>({ maxItems: 10, lifeMs: cacheMs, clock });
  let generation = 'first';
  let reads = 0;
  const needs = {
    clock,
    connections: {
      get: async (): Promise<StoredConnection> => {
        reads += 1;
        const grant = sampleGrant({ generation, expiresAt: clock.now() + 3_600_000, failure: null });
        await clock.sleep(readMs);
        return { connection, own: { key: ownKey(connection), grant, row: {} as RowVersion } };
      },
    },
    grants: { open: async () => sampleTokens(generation), touch: async () => {} },
    providers: { get: () => undefined, list: () => [] },
    policy: { credentialMinTtlSeconds: 60 },
    cache,
    seen: createMemoryCache({ maxItems: 10, lifeMs: 60_000, clock }),
  };
  const getCredentials = createGetCredentials(needs as unknown as Parameters<typeof createGetCredentials>[0]);
  const { org, name } = connection;
  const request = { org, name, userId: null, minTtlSeconds: null, forceRefresh: false };
  return {
    clock,
    read: () => getCredentials({ ...request, requiredScopes: null, workflowId: null } as never),
    reads: () => reads,
    /** As an import here does: another generation, and this process forgets what it remembers. */
    replace() {
      generation = 'second';
      cache.clear();
    },
  };
}

it('after another generation came amid many reads, storage is soon left in peace again', async () => {
  const { clock, read, reads, replace } = createReader();
  const endsAt = clock.now() + 2000;
  const changesAt = clock.now() + 25;
  const keepReading = async (offsetMs: number) => {
    await clock.sleep(offsetMs);
    while (clock.now() < endsAt) {
      await read();
      await clock.sleep(1);
    }
  };
  const change = async () => {
    await clock.sleep(changesAt - clock.now());
    replace();
  };
  await clock.run(Promise.all([change(), ...Array.from({ length: 30 }, (_, index) => keepReading(index))]));
  // Each of the thirty once in the beginning, once or twice around the change.
  expect(reads()).toBeLessThanOrEqual(120);
  const before = reads();
  await clock.run(read());
  expect(reads()).toBe(before);
});
