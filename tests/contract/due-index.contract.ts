import { beforeAll, describe, expect, it } from 'vitest';
import type { GrantKey } from '../../src/domain/grant.ts';
import { toConnectionName, toOrgId, toUserId } from '../../src/domain/ids.ts';
import type { DatedEntry, DueEntry, DueIndex } from '../../src/ports/due-index.ts';
import { collect } from '../support/collect.ts';

const hourMs = 3_600_000;
const noon = Date.UTC(2026, 0, 15, 12);

function keyOf(index: number): GrantKey {
  const org = toOrgId(`org${index % 5}`);
  const userId = index % 3 === 0 ? toUserId(`ü ser/${index}`) : null;
  return { connectionOrg: org, org, connection: toConnectionName(`c${index}`), userId };
}

const dueIn = async (pages: AsyncIterable<readonly DueEntry[]>) => (await collect(pages)).flat();

export function dueIndexContract(makeIndex: () => Promise<DueIndex>): void {
  describe('the due index', () => {
    let index: DueIndex;
    /** One entry every 20 minutes, from ten hours before noon to ten hours after it. */
    const entries = Array.from({ length: 61 }, (_, i) => ({
      key: keyOf(i),
      at: noon + (i - 30) * (hourMs / 3),
      server: `server${i % 2}`,
    }));
    beforeAll(async () => {
      index = await makeIndex();
      await Promise.all(entries.map((entry) => index.insert(entry)));
    });
    const byTime = (all: readonly DueEntry[]) => [...all].sort((a, b) => a.at - b.at);

    it('gives what is due up to a time to the millisecond, whatever hour or shard it lies in, and nothing else', async () => {
      expect(byTime(await dueIn(index.due(noon)))).toEqual(entries.filter(({ at }) => at <= noon));
      expect(await dueIn(index.due(noon - 1))).toHaveLength(30);
      expect(await dueIn(index.due(noon - 11 * hourMs))).toEqual([]);
    });

    it('gives about as many as are asked for, of each shard those that are due the longest', async () => {
      const due = entries.filter(({ at }) => at <= noon);
      const some = byTime(await dueIn(index.due(noon, 16)));
      expect(some.length).toBeGreaterThan(4);
      expect(some.length).toBeLessThanOrEqual(16);
      expect(due).toEqual(expect.arrayContaining(some));
      expect(some[0]).toEqual(due[0]);
      for (const { key, at } of some) await index.remove({ key, at });
      const next = await dueIn(index.due(noon, 16));
      expect(next.length).toBeGreaterThan(0);
      expect(next.filter(({ at }) => some.some((entry) => entry.at === at))).toEqual([]);
      for (const entry of some) await index.insert(entry);
    });

    it('takes an entry twice, and forgets it once or twice', async () => {
      const [first] = entries;
      if (first === undefined) throw new Error('no entry');
      expect(await index.insert(first)).toBe(false);
      expect(await dueIn(index.due(first.at))).toHaveLength(1);
      await index.remove(first);
      await index.remove(first);
      expect(await dueIn(index.due(first.at))).toEqual([]);
      expect(await index.insert(first)).toBe(true);
    });

    it('keeps the entries of one grant at two times apart', async () => {
      const key = keyOf(1);
      await index.insert({ key, at: noon - 20 * hourMs, server: 'server1' });
      expect(await dueIn(index.due(noon - 15 * hourMs))).toHaveLength(1);
      await index.remove({ key, at: noon - 20 * hourMs });
      expect(await dueIn(index.due(noon + 10 * hourMs))).toHaveLength(61);
    });

    it('does not take a cursor that it has not given', async () => {
      const refused = expect.objectContaining({ code: 'validation_failed' });
      await expect(collect(index.walk('not a cursor'))).rejects.toEqual(refused);
    });

    it('is walked whole, also from where an earlier walk stopped', async () => {
      const walked: DatedEntry[] = [];
      let cursor: string | null = null;
      do {
        for await (const page of index.walk(cursor)) {
          walked.push(...page.entries);
          cursor = page.cursor;
          break;
        }
      } while (cursor !== null);
      expect(byTime(walked)).toEqual(entries.map((entry) => ({ ...entry, writtenAt: expect.any(Number) })));
      for (const { writtenAt } of walked) expect(Math.abs(Date.now() - writtenAt)).toBeLessThan(60_000);
    });
  });
}
