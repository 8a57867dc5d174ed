import { describe, expect, it } from 'vitest';
import type { AuditRecord } from '../../../../src/domain/audit.ts';
import { linkAfter } from '../../../../src/domain/audit-chain.ts';
import type { StoredRecord } from '../../../../src/ports/audit-log.ts';
import { createChainBook } from '../../../../src/usecases/audit/chain-book.ts';
import { type Archive, problemsOf, sampleArchive, sampleRecord, sha256, verificationOf } from './audit-samples.ts';

const hourMs = 3_600_000;
const now = Date.UTC(2026, 0, 6, 12);
const many = 1000;

/** A thousand records of two processes over two days, both ended, and checkpoints until yesterday. */
function whole(): Archive {
  const at = (index: number) => Date.UTC(2026, 0, 2, 12) + index * 100_000;
  const half = (first: number) => Array.from({ length: many / 2 }, (_, i) => sampleRecord(first + i, { at: at(i) }));
  return sampleArchive({ chains: [half(0), half(many / 2)], firstDay: '20260101', lastDay: '20260105' });
}

/** Puts another of its kind in the place of one. */
function changed<Item>(items: readonly Item[], index: number, change: (item: Item) => Item): Item[] {
  return items.map((item, i) => (i === index ? change(item) : item));
}

const without = <Item>(items: readonly Item[], index: number): Item[] => items.toSpliced(index, 1);

describe('an audit log that nobody has touched', () => {
  it('has no problem, whatever the order of its rows', async () => {
    const archive = whole();
    expect(await problemsOf(archive, now)).toEqual([]);
    expect(await problemsOf({ ...archive, records: archive.records.toReversed() }, now)).toEqual([]);
    const { months } = await verificationOf(archive, now);
    expect(months.at(-1)).toEqual({ month: '202601', chains: 2, records: many, problems: [] });
  });

  it('may end after its last head, as when a process was killed', async () => {
    const records = [0, 1, 2].map((index) => sampleRecord(index));
    const archive = sampleArchive({ chains: [records], isClosed: false, firstDay: '20260101', lastDay: '20260105' });
    const [link] = archive.records.slice(-1).map((stored) => stored.link);
    const later = sampleRecord(3, { at: Date.UTC(2026, 0, 2, 13) });
    const next = linkAfter('chain0', link ?? { seq: -1, hash: '' }, later, sha256);
    archive.records.push({ record: later, link: next, isInPlace: true });
    expect(await problemsOf(archive, now)).toEqual([]);
  });

  it('does not miss what the retention has purged', async () => {
    const archive = whole();
    const laterNow = Date.UTC(2026, 2, 15);
    const purged = { ...archive, records: [], heads: [] };
    expect(await problemsOf(purged, laterNow, 30)).toEqual([]);
    expect(await problemsOf(purged, laterNow, 400)).not.toEqual([]);
  });
});

describe('of a thousand records (S-68)', () => {
  const chains = 10;
  const length = 100;
  const start = Date.UTC(2026, 0, 2, 12);
  const all = Array.from({ length: chains }, (_, chain) =>
    Array.from({ length }, (_, i) => sampleRecord(chain * length + i, { at: start + i * 1_000_000 })),
  );
  const archive = sampleArchive({ chains: all, firstDay: '20260101', lastDay: '20260105' });

  /** Where the chain of each record is looked at without a problem, though it was tampered with. */
  function missed(tamper: (records: readonly StoredRecord[], at: number) => readonly StoredRecord[]): string[] {
    return Array.from({ length: chains }, (_, index) => `chain${index}`).flatMap((chain) => {
      const records = archive.records.filter(({ link }) => link.chain === chain);
      const heads = archive.heads.filter((head) => head.chain === chain);
      return records.flatMap((_, at) => {
        const book = createChainBook(sha256);
        for (const stored of tamper(records, at)) book.enter(stored);
        return book.problems(heads).length === 0 ? [`${chain} ${at}`] : [];
      });
    });
  }

  it('none is a problem as it is', () => {
    expect(archive.records).toHaveLength(chains * length);
    expect(missed((records) => records)).toHaveLength(chains * length);
  });

  it('the removal of any one is found', () => {
    expect(missed((records, at) => records.toSpliced(at, 1))).toEqual([]);
  });

  it('a change of any one is found', () => {
    const changes: readonly Partial<AuditRecord>[] = [
      { outcome: 'internal_error' },
      { count: 2 },
      { actor: { kind: 'api_key', id: 'bb22', name: 'nightly' } },
      { at: now },
      { detail: { a: 2 } },
      { address: null },
    ];
    const change = (records: readonly StoredRecord[], at: number) =>
      changed(records, at, (stored) => ({ ...stored, record: { ...stored.record, ...changes[at % changes.length] } }));
    expect(missed(change)).toEqual([]);
  });

  it('one more is found, wherever it is put in and however well its hash is made', () => {
    const insert = (records: readonly StoredRecord[], at: number) => {
      const record = sampleRecord(many + at);
      const before = records[at]?.link ?? { chain: '', seq: -1, hash: '' };
      const link = linkAfter(before.chain, before, record, sha256);
      return records.toSpliced(at + 1, 0, { record, link, isInPlace: true });
    };
    expect(missed(insert)).toEqual([]);
  });
});

describe('while a chain is written that runs through several organisations', () => {
  const startedAt = Date.UTC(2026, 0, 2, 12);
  const writtenAt = startedAt - 5000;
  const records = Array.from({ length: 103 }, (_, index) => sampleRecord(index, { at: writtenAt + index * 100 }));
  const archive = sampleArchive({ chains: [records], isClosed: false, firstDay: '20260101', lastDay: '20260101' });
  const [head] = archive.heads;
  /** The head names record `seq`, and the records of these numbers were not seen. */
  const seen = (seq: number, missing: readonly number[]): Archive => ({
    ...archive,
    heads: head === undefined ? [] : [{ ...head, seq, hash: archive.records[seq]?.link.hash ?? '' }],
    records: archive.records.filter(({ link }) => !missing.includes(link.seq)),
  });

  it('a record that came to an organisation after its records were read is not missed', async () => {
    expect(await problemsOf(seen(99, [100]), startedAt)).toEqual([]);
    expect(await problemsOf(seen(-1, [0, 1, 2, 50]), startedAt)).toEqual([]);
  });

  it('one that the head covers is, and so is one before an older record', async () => {
    expect(await problemsOf(seen(99, [98, 99, 100]), startedAt)).toEqual([
      'chain chain0 has no record 98 to 99',
      'chain chain0 ends before record 99, which the head of 20260102 names',
    ]);
    expect(await problemsOf(seen(99, [100]), startedAt + hourMs)).toEqual(['chain chain0 has no record 100']);
  });

  it('may take longer than a head stays away', async () => {
    const slow = [0, 1, 2].map((index) => sampleRecord(index, { at: startedAt + index * hourMs }));
    const open = sampleArchive({ chains: [slow], isClosed: false, firstDay: '20260101', lastDay: '20260101' });
    const heads = open.heads.map((each) => ({ ...each, seq: 0, hash: open.records[0]?.link.hash ?? '' }));
    expect(await problemsOf({ ...open, heads }, startedAt)).toEqual([]);
  });
});

describe('what is found and said of', () => {
  const archive = whole();

  it('a record in the middle', async () => {
    expect(await problemsOf({ ...archive, records: without(archive.records, 7) }, now)).toEqual([
      'chain chain0 has no record 7',
    ]);
  });

  it('a chain whose end is missing', async () => {
    const records = archive.records.filter(({ link }) => link.chain !== 'chain1' || link.seq < 495);
    expect(await problemsOf({ ...archive, records }, now)).toEqual([
      'chain chain1 ends before record 499, which the head of 20260103 names',
    ]);
  });

  it('a whole chain that is missing', async () => {
    const records = archive.records.filter(({ link }) => link.chain !== 'chain1');
    expect((await problemsOf({ ...archive, records }, now)).join()).toContain('chain chain1 ends before record');
  });

  it('a whole chain that is missing with its heads', async () => {
    const records = archive.records.filter(({ link }) => link.chain !== 'chain1');
    const heads = archive.heads.filter(({ chain }) => chain !== 'chain1');
    const problems = await problemsOf({ ...archive, records, heads }, now);
    expect(problems).toHaveLength(2);
    for (const problem of problems)
      expect(problem).toMatch(/^the heads of 2026010[23] are not those of its checkpoint/);
  });

  it('any head that is missing, changed or put in', async () => {
    for (const [index, head] of archive.heads.entries()) {
      const gone = await problemsOf({ ...archive, heads: without(archive.heads, index) }, now);
      expect(gone.join()).toContain(`the heads of ${head.day} are not those of its checkpoint`);
      const other = changed(archive.heads, index, (each) => ({ ...each, isClosed: !each.isClosed }));
      expect(await problemsOf({ ...archive, heads: other }, now)).not.toEqual([]);
    }
    const more = [...archive.heads, { ...archive.heads[0], chain: 'other', seq: -1, hash: '' } as never];
    expect(await problemsOf({ ...archive, heads: more }, now)).not.toEqual([]);
  });

  it('a chain without any head, though no checkpoint has been made since', async () => {
    const young = { ...archive, checkpoints: [], heads: archive.heads.filter(({ chain }) => chain !== 'chain0') };
    expect(await problemsOf(young, Date.UTC(2026, 0, 3, 12))).toEqual([
      'chain chain0 has no head, which is written before its first record',
    ]);
  });

  it('any checkpoint that is missing or changed', async () => {
    for (const index of archive.checkpoints.keys()) {
      const isLast = index === archive.checkpoints.length - 1;
      // Without a successor it is made again, and the log has its digest.
      if (!isLast) {
        const checkpoints = without(archive.checkpoints, index);
        expect((await problemsOf({ ...archive, checkpoints }, now)).join()).toContain(
          'does not follow the one before it',
        );
      }
      const checkpoints = changed(archive.checkpoints, index, (each) => ({ ...each, digest: 'other' }));
      expect(await problemsOf({ ...archive, checkpoints }, now)).not.toEqual([]);
    }
  });

  it('all checkpoints that are missing, once they are late', async () => {
    const bare = { ...archive, checkpoints: [] };
    expect(await problemsOf(bare, Date.UTC(2026, 0, 4, 12))).toEqual([]);
    expect(await problemsOf(bare, Date.UTC(2026, 0, 5, 12))).toEqual([
      'the checkpoints of 20260102 and of what followed are missing',
    ]);
  });

  it('a record that lies elsewhere, is there twice or makes no sense', async () => {
    const moved = changed(archive.records, 3, (stored) => ({ ...stored, isInPlace: false }));
    expect((await problemsOf({ ...archive, records: moved }, now)).join()).toContain('does not lie where');
    const twice = [...archive.records, ...archive.records.slice(3, 4)];
    expect((await problemsOf({ ...archive, records: twice }, now)).join()).toContain('is there twice');
  });

  it('a tail that goes on for long after the last head', async () => {
    const records = [0, 1, 2].map((index) => sampleRecord(index, { at: Date.UTC(2026, 0, 2) + index * hourMs }));
    const open = sampleArchive({ chains: [records], isClosed: false, firstDay: '20260101', lastDay: '20260105' });
    const [head] = open.heads;
    const [first] = open.records;
    if (head === undefined || first === undefined) throw new Error('no head');
    const early = { ...open, checkpoints: [], heads: [{ ...head, seq: 0, hash: first.link.hash }] };
    expect(await problemsOf(early, Date.UTC(2026, 0, 3))).toEqual([
      'chain chain0 goes on for too long after record 0, which its last head names',
    ]);
  });
});
