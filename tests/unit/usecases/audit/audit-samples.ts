import { systemDigest } from '../../../../src/adapters/system/system-digest.ts';
import { type AuditRecord, dayOf, monthOf, startOfDay } from '../../../../src/domain/audit.ts';
import {
  type AuditCheckpoint,
  type ChainHead,
  checkpointDigest,
  emptyChain,
  linkAfter,
} from '../../../../src/domain/audit-chain.ts';
import { toConnectionName, toOrgId, toUserId } from '../../../../src/domain/ids.ts';
import type { StoredRecord } from '../../../../src/ports/audit-log.ts';
import { type AuditVerification, createVerifyAudit } from '../../../../src/usecases/audit/verify-audit.ts';

export const sha256 = systemDigest.sha256Base64url;
const dayMs = 24 * 60 * 60 * 1000;

export function sampleRecord(index: number, changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: index.toString(16).padStart(32, '0'),
    at: Date.UTC(2026, 0, 2, 12) + index * 1000,
    org: toOrgId(`ORG${index % 3}`),
    connection: toConnectionName('crm'),
    userId: index % 2 === 0 ? null : toUserId('ann'),
    actor: { kind: 'api_key', id: 'aa11', name: 'nightly' },
    action: 'credential.read',
    outcome: 'success',
    count: 1,
    correlationId: `call-${index}`,
    address: '192.0.2.7',
    detail: { a: 1 },
    ...changes,
  };
}

/** An audit log in memory, that a test can tamper with. */
export interface Archive {
  records: StoredRecord[];
  heads: ChainHead[];
  checkpoints: AuditCheckpoint[];
}

/** Some chains side by side, each with a head for each day, and a checkpoint for each day until `lastDay`. */
export function sampleArchive(options: {
  readonly chains: readonly (readonly AuditRecord[])[];
  readonly isClosed?: boolean;
  readonly firstDay: string;
  readonly lastDay: string;
}): Archive {
  const archive: Archive = { records: [], heads: [], checkpoints: [] };
  for (const [index, records] of options.chains.entries())
    addChain(archive, `chain${index}`, records, options.isClosed);
  let prev = '';
  for (let at = startOfDay(options.firstDay); dayOf(at) <= options.lastDay; at += dayMs) {
    const day = dayOf(at);
    const heads = archive.heads.filter((head) => head.day === day);
    const digest = checkpointDigest(day, prev, heads, sha256);
    archive.checkpoints.push({ day, digest, prev, heads: heads.length, at });
    prev = digest;
  }
  return archive;
}

function addChain(archive: Archive, chain: string, records: readonly AuditRecord[], isClosed = true): void {
  let last: { seq: number; hash: string } = emptyChain;
  for (const [index, record] of records.entries()) {
    const link = linkAfter(chain, last, record, sha256);
    archive.records.push({ record, link, isInPlace: true });
    last = link;
    const next = records[index + 1];
    if (next !== undefined && dayOf(next.at) === dayOf(record.at)) continue;
    const { at } = record;
    const isLast = next === undefined;
    archive.heads.push({ chain, month: monthOf(at), ...last, day: dayOf(at), at, isClosed: isLast && isClosed });
  }
}

/** What the verifier finds. */
export async function problemsOf(archive: Archive, now: number, retentionDays = 400): Promise<readonly string[]> {
  const found = await verificationOf(archive, now, retentionDays);
  return [...found.months.flatMap(({ problems }) => problems), ...found.checkpoints.problems];
}

export function verificationOf(archive: Archive, now: number, retentionDays = 400): Promise<AuditVerification> {
  const verify = createVerifyAudit({
    clock: { now: () => now, sleep: async () => {} },
    digest: systemDigest,
    policy: { auditRetentionDays: retentionDays },
    auditLog: {
      async *recordsOf(month) {
        for (const stored of archive.records) if (monthIn(stored.record) === month) yield stored;
      },
      headsOf: async (month) => archive.heads.filter(({ day }) => day.startsWith(month)),
      checkpoints: async () => archive.checkpoints,
      latestCheckpoint: async () => archive.checkpoints.at(-1),
      keepCheckpoint: async (checkpoint) => checkpoint,
      append: async () => {},
      close: async () => {},
      list: async () => ({ items: [], continuation: null }),
      async *purge() {},
    },
  });
  return verify(null);
}

const months = new WeakMap<AuditRecord, string>();

function monthIn(record: AuditRecord): string {
  const month = months.get(record) ?? monthOf(record.at);
  months.set(record, month);
  return month;
}
