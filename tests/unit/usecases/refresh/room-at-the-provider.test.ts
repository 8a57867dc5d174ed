import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createProviderGate } from '../../../../src/adapters/provider-gate/provider-gate.ts';
import { BrokerError } from '../../../../src/domain/errors.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import type { GrantStore, RowVersion, StoredGrant } from '../../../../src/ports/grant-store.ts';
import { createWorkBatch } from '../../../../src/usecases/refresh/refresh-batch.ts';
import { createGrantRefresher, type GrantRefresher } from '../../../../src/usecases/refresh/refresh-grant.ts';
import type { RefreshBatch } from '../../../../src/usecases/refresh/sweep.ts';
import { sampleConnection, sampleGrant, sampleTokens, userKey } from '../../../support/tables-samples.ts';
import { createVirtualClock, type VirtualClock } from '../../../support/virtual-clock.ts';

const callMs = 6000;
const leaseMs = 30_000;
const connection = sampleConnection();

const storedOf = (user: string): StoredGrant => ({
  key: userKey(connection, user),
  grant: sampleGrant({ dueAt: null }),
  row: {} as RowVersion,
});

let clock: VirtualClock;
let held: Set<string>;
let mostHeld: number;
let calls: number;
let noted: number;
let refresher: GrantRefresher;
let needs: Parameters<typeof createWorkBatch>[0];

/** A provider that is well and takes six seconds for each call, and storage that takes none. */
beforeEach(() => {
  clock = createVirtualClock();
  [held, mostHeld, calls, noted] = [new Set(), 0, 0, 0];
  const grants: Partial<GrantStore> = {
    read: async ({ userId }) => storedOf(userId ?? ''),
    claim: async (stored) => {
      const user = stored.key.userId ?? '';
      if (user === 'elsewhere') return { kind: 'busy', stored };
      held.add(user);
      mostHeld = Math.max(mostHeld, held.size);
      return { kind: 'claimed', claim: { stored, endsAt: clock.now() + leaseMs, isTakeover: false, interruptedMs: 0 } };
    },
    open: async () => sampleTokens('old'),
    release: async ({ stored }) => void held.delete(stored.key.userId ?? ''),
    commit: async ({ stored }, { grant }) => {
      held.delete(stored.key.userId ?? '');
      return { kind: 'committed', stored: { ...stored, grant } };
    },
  };
  const refresh = async () => {
    calls += 1;
    const requestedAt = clock.now();
    await clock.sleep(callMs);
    return { tokens: sampleTokens('new'), requestedAt, expiresAt: requestedAt + 3_600_000, scopes: null };
  };
  const outside = {
    clock,
    random: { fraction: () => 0.5 },
    grants,
    vault: { get: async () => new Secret('client-secret') },
    authorizationServer: { refresh },
    gate: createProviderGate({ clock }),
    providers: { get: () => undefined, list: () => [] },
    audit: { note: async () => {} },
    logger: { error: () => {}, warn: () => {} },
    policy: { refreshWindowSeconds: 600, sweepIntervalSeconds: 1800, idleAfterSeconds: 604_800 },
    connections: { get: async () => ({ connection, own: storedOf('own') }) },
    jobs: {
      batchDone: async () => {
        noted += 1;
      },
    },
  };
  refresher = createGrantRefresher(outside as unknown as Parameters<typeof createGrantRefresher>[0]);
  needs = { ...outside, refresher } as unknown as Parameters<typeof createWorkBatch>[0];
});

function batchOf(batch: number, users: readonly string[]): RefreshBatch {
  const grants = users.map((user) => ({ key: userKey(connection, user), at: null }));
  return { jobId: 'job', batch, trigger: 'manual', startedAt: clock.now(), grants };
}

const asReader = { connection, isFresh: () => false, waitMs: 10_000 };

const sixteen = (batch: number) => Array.from({ length: 16 }, (_, index) => `user-${batch}-${index}`);
const twelveBatches = () =>
  Array.from({ length: 12 }, (_, batch) => createWorkBatch(needs)(batchOf(batch, sixteen(batch))));

describe('a provider that is slow but well', () => {
  it('refreshes all that one process works on, and nobody holds a lease while he waits for room', async () => {
    const counts = await clock.run(Promise.all(twelveBatches()));
    expect(counts.map(({ refreshed }) => refreshed)).toEqual(Array(12).fill(16));
    expect(mostHeld).toBe(12);
    expect(calls).toBe(192);
  });

  it('has room for a reader beside all that the sweep has found, also for a grant that a batch has not come to', async () => {
    const batches = Promise.all(twelveBatches());
    await vi.waitFor(() => expect(calls).toBe(12));
    const startedAt = clock.now();
    const answered = async (user: string) => {
      const { isRefreshed } = await refresher.refresh({ ...asReader, stored: storedOf(user) });
      return { isRefreshed, at: clock.now() };
    };
    const readers = await clock.run(Promise.all([answered('reader'), answered('user-11-15')]));
    expect(readers).toEqual(readers.map(() => ({ isRefreshed: true, at: startedAt + callMs })));
    await clock.run(batches);
  });

  it('makes a reader wait for room for ten seconds, then he is told so and nothing is claimed for him', async () => {
    const startedAt = clock.now();
    const refused: number[] = [];
    const readers = Array.from({ length: 40 }, (_, index) =>
      refresher.refresh({ ...asReader, stored: storedOf(`reader-${index}`) }).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'refresh_in_progress' });
        expect(clock.now()).toBe(startedAt + 10_000);
        expect(held).not.toContain(`reader-${index}`);
        expect(calls).toBe(32);
        refused.push(index);
      }),
    );
    await clock.run(Promise.all(readers));
    expect(refused).toEqual([32, 33, 34, 35, 36, 37, 38, 39]);
  });

  it('lets a reader wait for his answer once he has room', async () => {
    const first = Array.from({ length: 16 }, (_, i) => refresher.refresh({ ...asReader, stored: storedOf(`a-${i}`) }));
    const last = refresher.refresh({ ...asReader, stored: storedOf('b') });
    const results = await clock.run(Promise.all([...first, last]));
    expect(results.every(({ isRefreshed }) => isRefreshed)).toBe(true);
  });

  it('claims nothing for those who wait when the process stops', async () => {
    const batches = Promise.allSettled(twelveBatches());
    await vi.waitFor(() => expect(calls).toBe(12));
    const [ends] = await clock.run(Promise.all([batches, refresher.drain()]));
    expect(calls).toBe(12);
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(12);
    expect(held.size).toBe(0);
  });
});

describe('a batch', () => {
  it('comes back when a grant of it was held elsewhere; what it did is noted', async () => {
    const work = createWorkBatch(needs)(batchOf(0, ['elsewhere', 'here']));
    await expect(clock.run(work)).rejects.toMatchObject({ code: 'refresh_in_progress' });
    expect(calls).toBe(1);
    expect(noted).toBe(1);
  });

  it('does not come back for a provider that is paused, and says that it is', async () => {
    const paused = async () => {
      throw new BrokerError('provider_paused', 'Later.');
    };
    const counts = await createWorkBatch({ ...needs, refresher: { ...refresher, refresh: paused } })(batchOf(0, ['a']));
    expect(counts).toMatchObject({ refreshed: 0, skipped: 0, failed: 1, errors: [{ code: 'provider_paused' }] });
  });
});
