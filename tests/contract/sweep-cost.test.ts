import { expect, it } from 'vitest';
import { createSystemRandom } from '../../src/adapters/system/system-random.ts';
import { toUserId } from '../../src/domain/ids.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { BrokerPolicy } from '../../src/usecases/dependencies.ts';
import { createIndexedStores } from '../../src/usecases/refresh/indexed-stores.ts';
import { createWorkBatch } from '../../src/usecases/refresh/refresh-batch.ts';
import type { GrantRefresher } from '../../src/usecases/refresh/refresh-grant.ts';
import { createStartSweep } from '../../src/usecases/refresh/sweep.ts';
import { createTableFaults } from '../support/tables-faults.ts';
import { createTablesHarness } from '../support/tables-harness.ts';
import { ownKey, sampleConnection, sampleGrant, sampleTokens } from '../support/tables-samples.ts';
import { createTestClock } from '../support/test-clock.ts';

const hourMs = 3_600_000;
const silent: Logger = { info() {}, warn() {}, error() {} };
const policy: BrokerPolicy = {
  refreshWindowSeconds: 14_400,
  sweepIntervalSeconds: 1800,
  idleAfterSeconds: 604_800,
  publicBaseUrl: 'https://bowline.example.com',
  allowedReturnOrigins: [],
  requireConnectPage: false,
  credentialMinTtlSeconds: 60,
  bootstrapAdminKeySha256: undefined,
  auditCredentialReads: 'windowed',
  auditRetentionDays: 400,
  jobRetentionDays: 30,
  entraTenantIds: [],
  entraOrgFromTenant: false,
};

/** The table requests of a sweep and its batches, by table, with some grants of which some are due. */
async function costOf(existing: number, due: number): Promise<readonly string[]> {
  const faults = createTableFaults();
  const harness = await createTablesHarness({ policies: [faults.policy] });
  const clock = createTestClock();
  const outside = {
    ...harness.stores,
    providers: { get: () => undefined, list: () => [] },
    clock,
    random: createSystemRandom(),
    logger: silent,
    policy,
    audit: { note: async () => {} },
  };
  const needs = { ...outside, ...createIndexedStores(outside) };
  const refresher: Pick<GrantRefresher, 'refresh'> = {
    async refresh({ stored, isFresh }) {
      const result = await needs.grants.claim(stored, isFresh);
      if (result.kind !== 'claimed') return { stored, isRefreshed: false };
      const { grant } = stored;
      const next = { ...grant, seq: grant.seq + 1, dueAt: clock.now() + hourMs, failure: null };
      await needs.grants.commit(result.claim, { grant: next, tokens: sampleTokens() });
      return { stored, isRefreshed: true };
    },
  };
  await Promise.all(
    Array.from({ length: existing }, async (_, i) => {
      const dueAt = clock.now() + (i < due ? -60_000 : (1 + (i % 90)) * hourMs);
      const grant = sampleGrant({ dueAt, failure: null, lastUsedAt: clock.now() });
      const connection = sampleConnection(`c${i}`);
      await needs.connections.create(connection, grant, sampleTokens());
      const user = { ...ownKey(connection), userId: toUserId('ann') };
      const later = { ...grant, dueAt: clock.now() + 95 * hourMs };
      if (i % 3 === 2) await needs.grants.update(user, () => ({ grant: later, tokens: sampleTokens() }));
    }),
  );
  const before = faults.requests.length;
  const { batches } = await createStartSweep(needs)({ trigger: 'automatic', org: null });
  const work = createWorkBatch({ ...needs, refresher: { ...refresher, drain: async () => {} } });
  const counts = await Promise.all(batches.map(work));
  expect(counts.reduce((sum, { refreshed }) => sum + refreshed, 0)).toBe(due);
  return faults.requests.slice(before);
}

it('a sweep and its refreshes cost the same for 10 due grants, whether there are 10 or 300', async () => {
  const [few, many] = [await costOf(10, 10), await costOf(300, 10)];
  expect(few.length).toBeGreaterThan(10);
  expect(Math.abs(many.length - few.length)).toBeLessThanOrEqual(few.length * 0.1);
});

it('a refresh takes at most 6 table requests, what the sweep needs once left out', async () => {
  const [none, ten] = [await costOf(10, 0), await costOf(10, 10)];
  expect((ten.length - none.length - 1) / 10).toBeLessThanOrEqual(6);
});
