import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type AuditRecord, canonicalRecord, monthAfter, monthOf, oldestKeptMonth } from '../../../src/domain/audit.ts';
import { linkAfter } from '../../../src/domain/audit-chain.ts';
import { sampleRecord } from '../usecases/audit/audit-samples.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');

describe('the hashed form of a record', () => {
  const base = sampleRecord(1);
  const others: Partial<AuditRecord>[] = [
    { id: 'other' },
    { at: base.at + 1 },
    { org: null },
    { connection: null },
    { userId: null },
    { actor: { ...base.actor, kind: 'entra' } },
    { actor: { ...base.actor, id: 'other' } },
    { actor: { ...base.actor, name: 'other' } },
    { action: 'connection.create' },
    { outcome: 'internal_error' },
    { count: 2 },
    { correlationId: null },
    { address: null },
    { detail: { a: '1' } },
    { detail: { a: 1, b: 1 } },
  ];

  it('says every field', () => {
    const named = new Set(others.flatMap((change) => Object.keys(change)));
    expect([...named].sort()).toEqual(Object.keys(base).sort());
    const forms = [base, ...others.map((change) => ({ ...base, ...change }))].map(canonicalRecord);
    expect(new Set(forms).size).toBe(others.length + 1);
  });

  it('does not depend on the order of details', () => {
    const one = canonicalRecord({ ...base, detail: { a: 1, b: 2 } });
    expect(canonicalRecord({ ...base, detail: { b: 2, a: 1 } })).toBe(one);
  });
});

describe('a link', () => {
  it('depends on the chain, on the place and on the one before', () => {
    const first = linkAfter('c', { seq: -1, hash: '' }, sampleRecord(0), sha256);
    expect(first).toMatchObject({ chain: 'c', seq: 0, prev: '' });
    const next = linkAfter('c', first, sampleRecord(1), sha256);
    expect(next).toMatchObject({ seq: 1, prev: first.hash });
    const hashes = [
      next,
      linkAfter('d', first, sampleRecord(1), sha256),
      linkAfter('c', { ...first, seq: 5 }, sampleRecord(1), sha256),
      linkAfter('c', { ...first, hash: 'other' }, sampleRecord(1), sha256),
    ].map(({ hash }) => hash);
    expect(new Set(hashes).size).toBe(4);
  });
});

describe('months', () => {
  it('are those of UTC, and follow each other over the years', () => {
    expect(monthOf(Date.UTC(2026, 0, 31, 23, 59, 59, 999))).toBe('202601');
    expect(monthAfter('202612')).toBe('202701');
    expect(monthAfter('202601', -1)).toBe('202512');
  });

  it('are kept whole as long as one of their days is', () => {
    expect(oldestKeptMonth(Date.UTC(2026, 2, 31), 30)).toBe('202603');
    expect(oldestKeptMonth(Date.UTC(2026, 2, 30), 30)).toBe('202602');
  });
});
