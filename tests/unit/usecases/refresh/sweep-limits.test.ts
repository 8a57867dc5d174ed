import { expect, it } from 'vitest';
import type { GrantKey } from '../../../../src/domain/grant.ts';
import { type ConnectionName, toConnectionName, toOrgId } from '../../../../src/domain/ids.ts';
import type { RefreshJob } from '../../../../src/domain/refresh-job.ts';
import type { DueIndex } from '../../../../src/ports/due-index.ts';
import type { JobStore } from '../../../../src/ports/job-store.ts';
import { createGetRefreshJob } from '../../../../src/usecases/refresh/get-refresh-job.ts';
import { createStartSweep } from '../../../../src/usecases/refresh/sweep.ts';

const org = toOrgId('acme');
const keyOf = (connection: ConnectionName): GrantKey => ({ connectionOrg: org, org, connection, userId: null });

it('a sweep asks the index for no more than it can hold, counts what it got, and says when that is all it can', async () => {
  const asked: (number | undefined)[] = [];
  const warned: unknown[] = [];
  const logger = { info() {}, warn: (event: string, facts: unknown) => void warned.push([event, facts]) };
  const noted: unknown[] = [];
  const index: Partial<DueIndex> = {
    async *due(until, most) {
      asked.push(most);
      const names = Array.from({ length: most ?? 100 }, (_, i) => toConnectionName(`c${i}`));
      yield names.map((name) => ({ key: keyOf(name), at: until - 1, server: 'server' }));
    },
  };
  const jobs: Partial<JobStore> = {
    begin: async () => 'job',
    dispatched: async (_id, totals) => void noted.push(totals),
  };
  const needs = { clock: { now: () => 1000 }, dueIndex: index, jobs, logger };
  const startSweep = createStartSweep(needs as unknown as Parameters<typeof createStartSweep>[0], 40);
  const { batches } = await startSweep({ trigger: 'automatic', org: null });
  expect(asked).toEqual([40]);
  expect(batches.map(({ grants }) => grants.length)).toEqual([16, 16, 8]);
  expect(noted).toEqual([{ due: 40, batches: 3 }]);
  expect(warned).toEqual([['sweep_nearly_full', { job_id: 'job', due: 40, most: 40 }]]);
});

it('a job shows its first hundred errors, the organisation’s own, and counts all', async () => {
  const globex = toOrgId('globex');
  const errors = Array.from({ length: 600 }, (_, i) => ({
    connection: toConnectionName(`c${i}`),
    org: i < 300 ? globex : org,
    code: 'provider_unavailable' as const,
  }));
  const failed = (count: number) => ({ refreshed: 0, skipped: 0, failed: count });
  const byOrg = { [globex]: failed(300), [org]: failed(300) };
  const job: Partial<RefreshJob> = { id: 'job', trigger: 'automatic', org: null, ...failed(600), errors, byOrg };
  const jobs: Partial<JobStore> = { get: async () => job as RefreshJob };
  const getJob = createGetRefreshJob({ jobs: jobs as JobStore });

  const all = await getJob({ org, seesAll: true, jobId: 'job' });
  expect(all.failed).toBe(600);
  expect(all.errors).toEqual(errors.slice(0, 100));

  const own = await getJob({ org, seesAll: false, jobId: 'job' });
  expect(own.failed).toBe(300);
  expect(own.errors).toEqual(errors.slice(300, 400));
});

it('one server’s many batches do not stand before the few of the others', async () => {
  const index: Partial<DueIndex> = {
    async *due(until) {
      const entries = (server: string, count: number) =>
        Array.from({ length: count }, (_, i) => ({
          key: keyOf(toConnectionName(`${server}-${i}`)),
          at: until - 1,
          server,
        }));
      yield [...entries('slow', 160), ...entries('small', 20), ...entries('tiny', 1)];
    },
  };
  const jobs: Partial<JobStore> = { begin: async () => 'job', dispatched: async () => {} };
  const needs = { clock: { now: () => 1000 }, dueIndex: index, jobs, logger: { info() {} } };
  const startSweep = createStartSweep(needs as unknown as Parameters<typeof createStartSweep>[0]);
  const { batches } = await startSweep({ trigger: 'automatic', org: null });
  const servers = batches.map(({ grants }) =>
    [...new Set(grants.map(({ key }) => key.connection.split('-')[0]))].join(),
  );
  expect(servers.slice(0, 6)).toEqual(['slow', 'small', 'tiny', 'slow', 'small', 'slow']);
  expect(batches.map(({ batch }) => batch)).toEqual(batches.map((_, index) => index));
  expect(batches.reduce((sum, { grants }) => sum + grants.length, 0)).toBe(181);
});

it('as many servers as grants are dealt at once', async () => {
  const index: Partial<DueIndex> = {
    async *due(until) {
      const entry = (server: string, name: string) => ({ key: keyOf(toConnectionName(name)), at: until - 1, server });
      yield Array.from({ length: 150_000 }, (_, i) => entry(`server-${i}`, `c${i}`));
      yield Array.from({ length: 50_000 }, (_, i) => entry('server-0', `more-${i}`));
    },
  };
  const jobs: Partial<JobStore> = { begin: async () => 'job', dispatched: async () => {} };
  const needs = { clock: { now: () => 1000 }, dueIndex: index, jobs, logger: { info() {}, warn() {} } };
  const startSweep = createStartSweep(needs as unknown as Parameters<typeof createStartSweep>[0]);
  const { batches } = await startSweep({ trigger: 'automatic', org: null });
  expect(batches.reduce((sum, { grants }) => sum + grants.length, 0)).toBe(200_000);
  expect(batches).toHaveLength(149_999 + Math.ceil(50_001 / 16));
});
