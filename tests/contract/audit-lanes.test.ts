import { expect, it, vi } from 'vitest';
import { monthOf } from '../../src/domain/audit.ts';
import { toOrgId } from '../../src/domain/ids.ts';
import { collect } from '../support/collect.ts';
import { createTableFaults } from '../support/tables-faults.ts';
import { createTablesHarness } from '../support/tables-harness.ts';
import { sampleRecord } from '../unit/usecases/audit/audit-samples.ts';

it('one organisation’s slow write does not hold up the records of all the others', async () => {
  const faults = createTableFaults();
  const { stores } = await createTablesHarness({ policies: [faults.policy] });
  const { auditLog } = stores;
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  faults.before(
    ({ method, url }) => method === 'POST' && url.includes('OAuthAudit'),
    () => released,
  );
  const at = Date.now();
  const appended: number[] = [];
  const all = Array.from({ length: 16 }, (_, index) =>
    auditLog.append(sampleRecord(index, { at, org: toOrgId(`org-${index}`) })).then(() => appended.push(index)),
  );
  await vi.waitFor(() => expect(appended.length).toBeGreaterThan(1));
  expect(appended.length).toBeLessThan(all.length);
  release();
  await Promise.all(all);
  await auditLog.close();
  expect(await collect(auditLog.recordsOf(monthOf(at)))).toHaveLength(16);
  const heads = await auditLog.headsOf(monthOf(at));
  expect(heads.length).toBeGreaterThan(1);
  expect(heads.every(({ isClosed }) => isClosed)).toBe(true);
});
