import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { expect, it } from 'vitest';
import { createProviderGate } from '../../src/adapters/provider-gate/provider-gate.ts';
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

interface SweepCost {
  /** The table requests that find what is due and begin the job. */
  readonly begun: readonly string[];
  /** How many rows storage returned for those, however they lie on pages. */
  readonly rows: number;
  /** The table requests of the batches. */
  readonly worked: readonly string[];
}

/** What a sweep costs, with some grants of which some are due. */
async function costOf(existing: number, due: number): Promise<SweepCost> {
  const faults = createTableFaults();
  const reads = countRows();
  const harness = await createTablesHarness({ policies: [faults.policy, reads.policy] });
  const clock = createTestClock();
  const outside = {
    ...harness.stores,
    providers: { get: () => undefined, list: () => [] },
    clock,
    random: createSystemRandom(),
    logger: silent,
    policy,
    gate: createProviderGate({ clock }),
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
  const [before, rowsBefore] = [faults.requests.length, reads.rows()];
  const { batches } = await createStartSweep(needs)({ trigger: 'automatic', org: null });
  const begun = faults.requests.slice(before);
  const rows = reads.rows() - rowsBefore;
  const named = batches.reduce((sum, { grants }) => sum + grants.length, 0);
  expect(named, 'the batches name what is due and nothing else').toBe(due);
  const work = createWorkBatch({ ...needs, refresher: { ...refresher, drain: async () => {} } });
  const counts = await Promise.all(batches.map(work));
  expect(counts.reduce((sum, { refreshed }) => sum + refreshed, 0)).toBe(due);
  return { begun, rows, worked: faults.requests.slice(before + begun.length) };
}

/** Counts the rows that storage returns. */
function countRows(): { readonly policy: PipelinePolicy; rows(): number } {
  let count = 0;
  return {
    rows: () => count,
    policy: {
      name: 'countRows',
      async sendRequest(request, next) {
        const response = await next(request);
        if (request.method === 'GET' && response.status === 200) {
          const { value } = JSON.parse(response.bodyAsText ?? '{}') as { readonly value?: readonly unknown[] };
          count += value?.length ?? 1;
        }
        return response;
      },
    },
  };
}

/** Whether a request is a query that storage answers by going through rows without end. */
function isScan(request: string): boolean {
  const [method, url = ''] = request.split(' ');
  const { pathname, searchParams } = new URL(url);
  const isQuery = method === 'GET' && /\(\)$/.test(pathname);
  return isQuery && !/PartitionKey (eq|ge .* and PartitionKey le) /.test(searchParams.get('$filter') ?? '');
}

it('to find 10 due grants takes as many requests and rows, whether there are 10 or 300', async () => {
  const [few, many] = [await costOf(10, 10), await costOf(300, 10)];
  expect(few.begun.length).toBeGreaterThan(10);
  expect(many.begun).toHaveLength(few.begun.length);
  expect(few.rows).toBeGreaterThanOrEqual(10);
  expect(many.rows).toBe(few.rows);
  expect(many.begun.filter(isScan), 'queries that no partition bounds').toEqual([]);
  expect(many.worked).toHaveLength(few.worked.length);
});

it('a refresh takes at most 6 table requests, what the sweep needs once left out', async () => {
  const { worked } = await costOf(10, 10);
  // One more notes the batch.
  expect((worked.length - 1) / 10).toBeLessThanOrEqual(6);
});
