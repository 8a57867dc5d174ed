import { beforeAll, describe, expect, it } from 'vitest';
import type { RekeyJob } from '../../src/domain/rekey-job.ts';
import type { RekeyStore } from '../../src/ports/rekey-store.ts';

const startedAt = 1_700_000_000_000;

export function rekeyStoreContract(makeStores: () => Promise<{ readonly rekeyJobs: RekeyStore }>): void {
  describe('a store of rekey jobs', () => {
    let jobs: RekeyStore;
    beforeAll(async () => {
      ({ rekeyJobs: jobs } = await makeStores());
    });

    const next = (job: RekeyJob, changes: Partial<RekeyJob> = {}) => ({ ...job, step: job.step + 1, ...changes });

    it('has none at first, and none of an id that it has not given', async () => {
      expect(await jobs.latest()).toBeUndefined();
      for (const odd of ['', 'x', "' or 1 eq 1", 'a'.repeat(2000)]) expect(await jobs.get(odd)).toBeUndefined();
    });

    it('keeps every field of a checkpoint', async () => {
      const job = await jobs.begin({ startedAt, keyId: 'aaaa0000' });
      expect(job).toMatchObject({ step: 0, finishedAt: null, place: { part: 'own', cursor: null }, keys: {} });
      expect(await jobs.get(job.id)).toEqual(job);
      const place = { part: 'revocations', cursor: 'c'.repeat(500) } as const;
      const keys = { aaaa0000: 5, bbbb1111: 1 };
      const after = next(job, { place, keys, sealedAnew: 4, alreadyCurrent: 2, unreadable: 3, keyId: 'bbbb1111' });
      expect(await jobs.advance(after)).toBe(true);
      expect(await jobs.get(job.id)).toEqual(after);
      const end = next(after, { finishedAt: startedAt + 5 });
      expect(await jobs.advance(end)).toBe(true);
      expect(await jobs.get(job.id)).toEqual(end);
    });

    it('lets exactly one of ten parallel workers take a step, and nobody take it again or skip one', async () => {
      const job = await jobs.begin({ startedAt, keyId: 'aaaa0000' });
      const tries = Array.from({ length: 10 }, (_, sealedAnew) => jobs.advance(next(job, { sealedAnew })));
      const winners = (await Promise.all(tries)).flatMap((isOurs, index) => (isOurs ? [index] : []));
      expect(winners).toHaveLength(1);
      expect(await jobs.get(job.id)).toMatchObject({ step: 1, sealedAnew: winners[0] });
      expect(await jobs.advance(next(job))).toBe(false);
      expect(await jobs.advance(next(job, { step: 3 }))).toBe(false);
      expect(await jobs.advance({ ...next(job), id: job.id.replace(/.$/, (end) => (end === '0' ? '1' : '0')) })).toBe(
        false,
      );
    });

    it('gives the newest as the latest', async () => {
      const newest = await jobs.begin({ startedAt: startedAt + 10, keyId: 'aaaa0000' });
      await jobs.begin({ startedAt: startedAt + 9, keyId: 'aaaa0000' });
      expect(await jobs.latest()).toEqual(newest);
    });
  });
}
