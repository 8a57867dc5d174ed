import { beforeEach, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';
import { systemDigest } from '../../src/adapters/system/system-digest.ts';
import { type AuditRecord, monthOf } from '../../src/domain/audit.ts';
import { toOrgId } from '../../src/domain/ids.ts';
import type { AuditLog } from '../../src/ports/audit-log.ts';
import { createVerifyAudit } from '../../src/usecases/audit/verify-audit.ts';
import { collect } from '../support/collect.ts';
import { createTableFaults, type RequestMatch, type TableFaults } from '../support/tables-faults.ts';
import { createTablesHarness } from '../support/tables-harness.ts';
import { sampleRecord } from '../unit/usecases/audit/audit-samples.ts';

const now = Date.now();
const [acme, globex] = [toOrgId('acme'), toOrgId('globex')];
const needs = { clock: createSystemClock(), digest: systemDigest, policy: { auditRetentionDays: 1 } };

let nextId = 0;
function record(changes: Partial<AuditRecord> = {}): AuditRecord {
  nextId += 1;
  return sampleRecord(nextId, { at: now, org: acme, ...changes });
}

let faults: TableFaults;
let log: AuditLog;
beforeEach(async () => {
  faults = createTableFaults();
  log = (await createTablesHarness({ policies: [faults.policy] })).stores.auditLog;
});

describe('a row that storage refuses', () => {
  const bad = 'refused-by-storage';
  const holdsBad: RequestMatch = ({ method, body }) => method === 'POST' && body.includes(bad);

  it.each([400, 413])('takes no other with it that came at the same time: %d', async (status) => {
    faults.answer(holdsBad, status, 1000);
    const first = log.append(record());
    const together = [record({ org: globex }), record(), record({ correlationId: bad }), record(), record()];
    const done = await Promise.allSettled(together.map((each) => log.append(each)));
    await first;
    expect(done.map((each) => each.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
    expect(done[2]).toMatchObject({ reason: { code: 'audit_unavailable' } });
    expect(faults.requests.length).toBeLessThan(20);
    expect(await collect(log.recordsOf(monthOf(now)))).toHaveLength(5);
    await log.close();
    const { months } = await createVerifyAudit({ ...needs, auditLog: log })(null);
    expect(months.flatMap(({ problems }) => problems)).toEqual([]);
  });
});
