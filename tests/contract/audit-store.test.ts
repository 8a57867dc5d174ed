import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';
import { systemDigest } from '../../src/adapters/system/system-digest.ts';
import { type AuditRecord, dayOf, monthOf, startOfDay } from '../../src/domain/audit.ts';
import { toConnectionName, toOrgId } from '../../src/domain/ids.ts';
import type { AuditLog, AuditQuery, StoredRecord } from '../../src/ports/audit-log.ts';
import type { LogFields, Logger } from '../../src/ports/logger.ts';
import { keepCheckpoints } from '../../src/usecases/audit/keep-checkpoints.ts';
import { createVerifyAudit } from '../../src/usecases/audit/verify-audit.ts';
import { collect } from '../support/collect.ts';
import { createTableFaults, type RequestMatch, type TableFaults } from '../support/tables-faults.ts';
import { createTablesHarness, type TablesHarness } from '../support/tables-harness.ts';
import { sampleRecord } from '../unit/usecases/audit/audit-samples.ts';

const now = Date.now();
const month = monthOf(now);
const [acme, globex] = [toOrgId('acme'), toOrgId('globex')];
const everything: AuditQuery = {
  org: acme,
  from: now - 60 * 86_400_000,
  to: now + 86_400_000,
  connection: null,
  callerId: null,
  action: null,
  limit: 100,
  continuation: null,
};

let nextId = 0;
function record(changes: Partial<AuditRecord> = {}): AuditRecord {
  nextId += 1;
  return sampleRecord(nextId, { at: now, org: acme, ...changes });
}

let faults: TableFaults;
let harness: TablesHarness;
let log: AuditLog;
beforeEach(async () => {
  faults = createTableFaults();
  harness = await createTablesHarness({ policies: [faults.policy] });
  log = harness.stores.auditLog;
});

/** Records go in by POST, alone or in a batch; heads by PUT. */
const isRecord: RequestMatch = ({ method, url }) => method === 'POST' && /OAuthAudit|\$batch/.test(url);

const recordsIn = async (which: AuditLog = log): Promise<StoredRecord[]> =>
  (await collect(which.recordsOf(month))).filter((each): each is StoredRecord => 'record' in each);

async function problems(): Promise<readonly string[]> {
  const needs = { auditLog: log, clock: createSystemClock(), digest: systemDigest };
  const found = await createVerifyAudit({ ...needs, policy: { auditRetentionDays: 1 } })(null);
  return [...found.months.flatMap((each) => each.problems), ...found.checkpoints.problems];
}

describe('an audit log', () => {
  it('gives back what it was given, newest first, of one organisation only', async () => {
    const all = [
      record(),
      record({ at: now + 1, userId: null, detail: {} }),
      record({ at: now + 2, connection: null }),
    ];
    const other = record({ org: globex });
    const nobody = record({ org: null, actor: { kind: 'anonymous', id: '', name: '' }, address: null });
    for (const each of [...all, other, nobody]) await log.append(each);
    expect((await log.list(everything)).items).toEqual(all.toReversed());
    expect((await log.list({ ...everything, org: globex })).items).toEqual([other]);
    expect((await log.list({ ...everything, org: null })).items).toEqual([nobody]);
    expect((await log.list({ ...everything, org: toOrgId('acm') })).items).toEqual([]);
  });

  it.each(['-', 'heads', 'checkpoint', '_'])('keeps an organisation named %s apart from its own rows', async (name) => {
    await log.append(record({ org: null }));
    const own = record({ org: toOrgId(name) });
    await log.append(own);
    await log.close();
    expect((await log.list({ ...everything, org: toOrgId(name) })).items).toEqual([own]);
    expect(await problems()).toEqual([]);
  });

  it('finds by time, connection, caller and action', async () => {
    const other = { ...record().actor, id: 'other' };
    const all = [
      record({ at: now }),
      record({ at: now + 1, connection: toConnectionName('erp') }),
      record({ at: now + 2, actor: other }),
      record({ at: now + 3, action: 'connection.create' }),
    ];
    for (const each of all) await log.append(each);
    const found = async (query: Partial<AuditQuery>) => (await log.list({ ...everything, ...query })).items;
    expect(await found({ connection: toConnectionName('erp') })).toEqual([all[1]]);
    expect(await found({ callerId: 'other' })).toEqual([all[2]]);
    expect(await found({ action: 'connection.create' })).toEqual([all[3]]);
    expect(await found({ from: now + 1, to: now + 3 })).toEqual([all[2], all[1]]);
  });

  it('gives pages over several months, and refuses a continuation that it has not given', async () => {
    const monthMs = 31 * 86_400_000;
    const all = [0, 1, 2, 3, 4, 5].map((index) => record({ at: now - Math.floor(index / 2) * monthMs - index }));
    for (const each of all) await log.append(each);
    const span = { ...everything, from: now - 3 * monthMs, limit: 3 };
    const first = await log.list(span);
    const second = await log.list({ ...span, continuation: first.continuation });
    expect([...first.items, ...second.items].map(({ at }) => at)).toEqual(all.map(({ at }) => at));
    for (const odd of ['', 'x', '209901.', `${month}.x`, `${month}.e30`, "202601' or '1"]) {
      await expect(log.list({ ...span, continuation: odd })).rejects.toMatchObject({ code: 'validation_failed' });
    }
  });

  it('never changes or replaces a record: each is one insert', async () => {
    await log.append(record());
    await log.append(record());
    const writes = faults.requests.filter((request) => !request.startsWith('GET') && !request.includes('heads'));
    expect(writes.map((request) => request.split(' ')[0])).toEqual(['POST', 'POST']);
  });
});

describe('writing in groups', () => {
  it('takes what came while a write was under way in one transaction of each organisation', async () => {
    await log.append(record());
    const before = faults.requests.length;
    await Promise.all(Array.from({ length: 50 }, (_, i) => log.append(record({ org: i % 2 === 0 ? acme : globex }))));
    const sent = faults.requests.slice(before).filter((request) => request.startsWith('POST'));
    // One of each may go out alone, the others in two transactions.
    expect(sent.length).toBeLessThanOrEqual(4);
    expect(await recordsIn()).toHaveLength(51);
    expect(await problems()).toEqual([]);
  });

  it('splits what one transaction does not take', async () => {
    await Promise.all(Array.from({ length: 250 }, () => log.append(record())));
    expect(await recordsIn()).toHaveLength(250);
    await log.close();
    expect(await problems()).toEqual([]);
  });

  it('costs a process one head more than its records, and one more at its end', async () => {
    for (let index = 0; index < 5; index += 1) await log.append(record());
    await log.close();
    const heads = faults.requests.filter((request) => request.startsWith('PUT'));
    expect(heads.length).toBeLessThanOrEqual(3);
    expect(await log.headsOf(month)).toMatchObject([{ seq: 4, isClosed: true, month, day: dayOf(now) }]);
  });

  it('begins another chain after it was closed', async () => {
    await log.append(record());
    await log.close();
    await log.append(record());
    expect(new Set((await recordsIn()).map(({ link }) => link.chain)).size).toBe(2);
    // Its head is there at once: the process is about to end.
    expect((await log.headsOf(month)).map(({ seq, isClosed }) => [seq, isClosed]).sort()).toEqual([
      [0, false],
      [0, true],
    ]);
    expect(await problems()).toEqual([]);
  });
});

describe('when storage does not say what became of a write', () => {
  it.each(['reset', 'timeout'] as const)('the same rows are sent again, and are there once: %s', async (as) => {
    await log.append(record());
    faults.dropReply(isRecord, 2, as);
    await Promise.all(Array.from({ length: 20 }, () => log.append(record())));
    expect(await recordsIn()).toHaveLength(21);
    await log.close();
    expect(await problems()).toEqual([]);
  });

  it('refuses who waits, when it stays away, with audit_unavailable; and goes on in a chain of its own', async () => {
    await log.append(record());
    faults.answer(isRecord, 503, 1000);
    const failed = await Promise.allSettled(Array.from({ length: 5 }, () => log.append(record())));
    for (const each of failed) {
      expect(each).toMatchObject({ status: 'rejected', reason: { code: 'audit_unavailable', retryAfterSeconds: 5 } });
    }
    faults.clear();
    await log.append(record());
    await log.close();
    const chains = Map.groupBy(await recordsIn(), ({ link }) => link.chain);
    expect([...chains.values()].map((each) => each.map(({ link }) => link.seq))).toEqual([[0], [0]]);
    expect(await problems()).toEqual([]);
  }, 60_000);

  it('a write that was applied and never confirmed leaves no hole behind', async () => {
    await log.append(record());
    faults.dropReply(isRecord, 1);
    faults.answer(isRecord, 503, 1000);
    await expect(log.append(record())).rejects.toMatchObject({ code: 'audit_unavailable' });
    faults.clear();
    await log.append(record());
    await log.close();
    expect(await recordsIn()).toHaveLength(3);
    expect(await problems()).toEqual([]);
  }, 60_000);

  it('a chain does not begin before its head is there', async () => {
    faults.answer(({ method }) => method === 'PUT', 503, 1000);
    await expect(log.append(record())).rejects.toMatchObject({ code: 'audit_unavailable' });
    faults.clear();
    expect(await recordsIn()).toEqual([]);
    await log.append(record());
    expect(await problems()).toEqual([]);
  }, 60_000);
});

describe('processes side by side', () => {
  it('have chains of their own, and all of it verifies while they write', async () => {
    const others = Array.from({ length: 3 }, () => harness.another().auditLog);
    const work = others.map(async (other) => {
      for (let index = 0; index < 40; index += 1) await other.append(record());
    });
    const found = await problems();
    await Promise.all(work);
    expect(found).toEqual([]);
    expect(await problems()).toEqual([]);
    expect(new Set((await recordsIn()).map(({ link }) => link.chain)).size).toBe(3);
  });
});

describe('what is done in storage past the adapter', () => {
  const raw = () => harness.raw('OAuthAudit');
  const placeOf = async (index: number) => {
    const rows: { partitionKey: string; rowKey: string }[] = [];
    for await (const row of raw().listEntities()) {
      if (row.partitionKey?.startsWith('acme')) rows.push({ partitionKey: row.partitionKey, rowKey: row.rowKey ?? '' });
    }
    return rows[index] ?? { partitionKey: '', rowKey: '' };
  };
  beforeEach(async () => {
    for (let index = 0; index < 5; index += 1) await log.append(record({ at: now + index }));
    await log.close();
  });

  it.each([0, 2, 4])('a row that was removed is found: %d', async (index) => {
    const { partitionKey, rowKey } = await placeOf(index);
    await raw().deleteEntity(partitionKey, rowKey);
    expect(await problems()).not.toEqual([]);
  });

  it('a column that was changed is found', async () => {
    await raw().updateEntity({ ...(await placeOf(1)), outcome: 'internal_error' }, 'Merge');
    expect((await problems()).join()).toContain('was changed: its hash is another');
  });

  it('a row that was moved to another organisation is found', async () => {
    const place = await placeOf(1);
    const { etag: _etag, timestamp: _timestamp, ...row } = await raw().getEntity(place.partitionKey, place.rowKey);
    await raw().deleteEntity(place.partitionKey, place.rowKey);
    await raw().createEntity({
      ...row,
      partitionKey: place.partitionKey.replace('acme', 'globex'),
      rowKey: place.rowKey,
    });
    expect(await problems()).not.toEqual([]);
  });
});

describe('checkpoints', () => {
  const logged: (readonly [string, LogFields | undefined])[] = [];
  const logger: Logger = {
    info: (event, fields) => void logged.push([event, fields]),
    warn() {},
    error: (event, fields) => void logged.push([event, fields]),
  };
  const keep = (at: number, auditLog: AuditLog = log) =>
    keepCheckpoints({ auditLog, digest: systemDigest, logger, clock: { now: () => at, sleep: async () => {} } });
  const dayMs = 86_400_000;
  const tomorrow = startOfDay(dayOf(now)) + dayMs + 3_600_000;

  it('are made of each day that is over, are linked, logged, and the same by two processes', async () => {
    logged.length = 0;
    await log.append(record());
    await log.close();
    await keep(tomorrow - dayMs);
    await keep(tomorrow - dayMs);
    await Promise.all([keep(tomorrow + 2 * dayMs), keep(tomorrow + 2 * dayMs, harness.another().auditLog)]);
    const all = await log.checkpoints();
    expect(all).toMatchObject([
      { day: dayOf(now - dayMs), prev: '', heads: 0 },
      { day: dayOf(now), prev: all[0]?.digest, heads: 1 },
      { day: dayOf(now + dayMs), prev: all[1]?.digest, heads: 0 },
      { day: dayOf(now + 2 * dayMs), prev: all[2]?.digest, heads: 0 },
    ]);
    expect(logged.every(([event]) => event === 'audit_checkpoint')).toBe(true);
    for (const { day, digest } of all) {
      expect(logged).toContainEqual(['audit_checkpoint', expect.objectContaining({ day, digest })]);
    }
    expect(await problems()).toEqual([]);
  });

  it('wait until what was on its way at midnight has arrived', async () => {
    await keep(startOfDay(dayOf(now)) + 60_000);
    expect((await log.checkpoints()).map(({ day }) => day)).toEqual([dayOf(now - 2 * dayMs)]);
  });

  it('show a head that was removed', async () => {
    await log.append(record());
    await log.close();
    await keep(tomorrow);
    const rows = harness.raw('OAuthAudit').listEntities();
    for await (const { partitionKey = '', rowKey = '' } of rows) {
      if (partitionKey.startsWith('!heads')) await harness.raw('OAuthAudit').deleteEntity(partitionKey, rowKey);
    }
    expect((await problems()).join()).toContain('are not those of its checkpoint');
  });
});

describe('the purge', () => {
  it('deletes whole months before one, of all organisations, with their heads, and no checkpoint', async () => {
    const old = now - 62 * 86_400_000;
    for (const org of [acme, globex, null]) {
      await log.append(record({ org, at: old }));
      await log.append(record({ org }));
    }
    await log.close();
    await log.keepCheckpoint({ day: dayOf(old), digest: 'd', prev: '', heads: 0, at: old });
    const pages = await collect(log.purge(month, null));
    expect(pages.reduce((sum, { removed }) => sum + removed, 0)).toBe(3);
    expect(pages.at(-1)?.cursor).toBeNull();
    expect(await collect(log.recordsOf(monthOf(old)))).toEqual([]);
    expect(await recordsIn()).toHaveLength(3);
    expect(await log.checkpoints()).toHaveLength(1);
    expect((await log.headsOf(month)).length).toBeGreaterThan(0);
  });

  it('goes on from its cursor', async () => {
    const old = now - 62 * 86_400_000;
    for (const org of [acme, globex]) await log.append(record({ org, at: old }));
    const pages = log.purge(month, null)[Symbol.asyncIterator]();
    const first = await pages.next();
    const rest = await collect(log.purge(month, first.value?.cursor ?? null));
    expect(rest.at(-1)?.cursor).toBeNull();
    expect(await collect(log.recordsOf(monthOf(old)))).toEqual([]);
  });
});

it('writes the head again within ten seconds of a record', async () => {
  const timers: { readonly milliseconds: number; readonly work: () => void }[] = [];
  const after = (milliseconds: number, work: () => void) => {
    timers.push({ milliseconds, work });
    return () => {};
  };
  const { auditLog } = harness.another({ timers: { after } });
  for (let index = 0; index < 3; index += 1) await auditLog.append(record());
  expect(timers).toHaveLength(1);
  expect(timers[0]?.milliseconds).toBeLessThanOrEqual(10_000);
  expect(await log.headsOf(month)).toMatchObject([{ seq: -1 }]);
  timers[0]?.work();
  await vi.waitFor(async () => expect(await log.headsOf(month)).toMatchObject([{ seq: 2, isClosed: false }]));
});
