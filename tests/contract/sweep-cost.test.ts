import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { expect, it } from 'vitest';
import { createProviderGate } from '../../src/adapters/provider-gate/provider-gate.ts';
import { createSystemRandom } from '../../src/adapters/system/system-random.ts';
import { systemTimers } from '../../src/adapters/system/system-timers.ts';
import { noSubject } from '../../src/domain/audit.ts';
import { toUserId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { createAuditTrail } from '../../src/usecases/audit/audit-trail.ts';
import type { BrokerPolicy } from '../../src/usecases/dependencies.ts';
import { createIndexedStores } from '../../src/usecases/refresh/indexed-stores.ts';
import { createWorkBatch } from '../../src/usecases/refresh/refresh-batch.ts';
import { createGrantRefresher } from '../../src/usecases/refresh/refresh-grant.ts';
import { createStartSweep } from '../../src/usecases/refresh/sweep.ts';
import { createTableFaults } from '../support/tables-faults.ts';
import { createTablesHarness } from '../support/tables-harness.ts';
import { acme, ownKey, sampleConnection, sampleGrant, sampleTokens } from '../support/tables-samples.ts';
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
  /** The table requests of the batches, but for those of the audit log. */
  readonly worked: readonly string[];
  readonly audited: readonly string[];
}

/** Whose grants are due: each connection's own, a user of each, or users of one connection. */
type Whose = 'own' | 'users' | 'users of one';

/** What a sweep costs, with some connections of which some have a grant that is due. */
async function costOf(existing: number, due: number, whose: Whose = 'own'): Promise<SweepCost> {
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
    vault: { get: async () => new Secret('client-secret') },
    authorizationServer: { refresh: async () => newTokens(clock) },
    timers: systemTimers,
    context: { current: () => ({}) },
  };
  const needs = {
    ...outside,
    ...createIndexedStores(outside),
    audit: createAuditTrail(outside as unknown as Parameters<typeof createAuditTrail>[0]),
  };
  const refresher = createGrantRefresher(needs as unknown as Parameters<typeof createGrantRefresher>[0]);
  const isDue = (i: number) => i < due;
  await Promise.all(
    Array.from({ length: existing }, async (_, i) => {
      const later = sampleGrant({
        dueAt: clock.now() + (1 + (i % 90)) * hourMs,
        failure: null,
        lastUsedAt: clock.now(),
      });
      const now = { ...later, dueAt: clock.now() - 60_000 };
      const connection = sampleConnection(`c${i}`);
      await needs.connections.create(connection, whose === 'own' && isDue(i) ? now : later, sampleTokens());
      const user = { ...ownKey(connection), userId: toUserId('ann') };
      const isUserDue = whose === 'users' && isDue(i);
      if (!isUserDue && i % 3 !== 2) return;
      await needs.grants.update(user, () => ({ grant: isUserDue ? now : later, tokens: sampleTokens() }));
    }),
  );
  if (whose === 'users of one') {
    const grant = sampleGrant({ dueAt: clock.now() - 60_000, failure: null, lastUsedAt: clock.now() });
    const keys = Array.from({ length: due }, (_, i) => ({
      ...ownKey(sampleConnection('c0')),
      userId: toUserId(`user-${i}`),
    }));
    await Promise.all(keys.map((key) => needs.grants.update(key, () => ({ grant, tokens: sampleTokens() }))));
  }
  // The first record of a process brings its chain's head with it.
  await needs.audit.note({ ...noSubject, org: acme, action: 'grant.refresh', outcome: 'success' });
  const [before, rowsBefore] = [faults.requests.length, reads.rows()];
  const { batches } = await createStartSweep(needs)({ trigger: 'automatic', org: null });
  const begun = faults.requests.slice(before);
  const rows = reads.rows() - rowsBefore;
  const named = batches.reduce((sum, { grants }) => sum + grants.length, 0);
  expect(named, 'the batches name what is due and nothing else').toBe(due);
  const work = createWorkBatch({ ...needs, refresher } as unknown as Parameters<typeof createWorkBatch>[0]);
  const counts = await Promise.all(batches.map(work));
  expect(counts.reduce((sum, { refreshed }) => sum + refreshed, 0)).toBe(due);
  const all = faults.requests.slice(before + begun.length);
  // Several records go in one transaction, which nothing else uses.
  const isAudit = (request: string) => /OAuthAudit|\$batch/.test(request);
  return { begun, rows, worked: all.filter((request) => !isAudit(request)), audited: all.filter(isAudit) };
}

function newTokens(clock: { now(): number }) {
  const requestedAt = clock.now();
  return { tokens: sampleTokens('new'), requestedAt, expiresAt: requestedAt + 8 * hourMs, scopes: null };
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

it.each([
  ['own', 5],
  ['users', 6],
  ['users of one', 5.1],
] as const)('a refresh takes at most 6 table requests beside its audit record (%s: %d)', async (whose, each) => {
  const { worked, audited } = await costOf(10, 10, whose);
  // One more notes the batch.
  expect((worked.length - 1) / 10).toBeCloseTo(each);
  expect(audited.length).toBeGreaterThan(0);
  expect(audited.length, 'records that come together go together').toBeLessThanOrEqual(10);
});
