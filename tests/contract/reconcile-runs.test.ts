import { beforeEach, describe, expect, it } from 'vitest';
import { BrokerError } from '../../src/domain/errors.ts';
import { newRound, reconcilePhases } from '../../src/domain/reconcile-round.ts';
import { createReconcileHarness, type ReconcileHarness } from '../support/reconcile-harness.ts';
import { sampleTransaction } from './small-stores.contract.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let harness: ReconcileHarness;
beforeEach(async () => {
  harness = await createReconcileHarness();
});

describe('a round of the reconcile', () => {
  it('begins 23 hours after the last one ended, and not before', async () => {
    const { run, clock } = harness;
    await harness.createOwn(1);
    expect(await run()).toMatchObject({ state: 'ended' });
    clock.advance(23 * hourMs - 60_000);
    expect(await run()).toBeUndefined();
    clock.advance(60_000);
    expect(await run()).toMatchObject({ state: 'ended', round: { figures: { grants: 1, inserted: 0 } } });
  });

  it('purges transactions a day after they expired, and job rows after 30 days', async () => {
    const { stores, inHours, clock } = harness;
    const expiring = [25, 23].map((hours, i) => ({ ...sampleTransaction(`${i}`), expiresAt: inHours(-hours) }));
    for (const transaction of expiring) await stores.transactions.create(transaction);
    const ids: string[] = [];
    for (const days of [31, 29]) {
      const startedAt = clock.now() - days * dayMs;
      const id = await stores.jobs.begin({ trigger: 'automatic', org: null, startedAt });
      await stores.jobs.batchDone(id, 0, { refreshed: 1, skipped: 0, failed: 0, errors: [], byOrg: {} }, startedAt);
      ids.push(id);
    }
    const figures = { purgedTransactions: 1, purgedJobRows: 2 };
    expect(await harness.run()).toMatchObject({ round: { figures } });
    const left = await Promise.all(expiring.map(({ stateHash }) => stores.transactions.get(stateHash)));
    expect(left.map((transaction) => transaction !== undefined)).toEqual([false, true]);
    const jobs = await Promise.all(ids.map((id) => stores.jobs.get(id)));
    expect(jobs.map((job) => job?.refreshed)).toEqual([undefined, 1]);
  });
});

describe('a round that takes more than one run', () => {
  it('goes on from the page where the time was up', async () => {
    const { stores, entries, wanted } = harness;
    await harness.createOwn(6);
    const walked: (string | null)[] = [];
    const walkOwn: typeof stores.connections.walkOwn = (cursor) => {
      walked.push(cursor);
      return stores.connections.walkOwn(cursor, { limit: 2 });
    };
    const connections = { ...stores.connections, walkOwn };
    const states: unknown[] = [];
    while (states.at(-1) !== 'ended' && states.length < 20) states.push((await harness.run({ connections }, 0))?.state);
    expect(walked[0]).toBeNull();
    expect(new Set(walked).size).toBe(walked.length);
    expect(walked.length).toBeGreaterThanOrEqual(3);
    expect(states).toEqual([...Array(walked.length + reconcilePhases.length - 2).fill('paused'), 'ended']);
    expect((await stores.reconcileRounds.read())?.figures).toMatchObject({ grants: 6, inserted: 6 });
    expect(await entries()).toEqual(await wanted());
  });

  it('goes on from the last page that was done when storage failed or the process died', async () => {
    const { stores, run } = harness;
    await harness.createOwn(4);
    let pages = 0;
    const walkOwn: typeof stores.connections.walkOwn = async function* (cursor) {
      for await (const page of stores.connections.walkOwn(cursor, { limit: 1 })) {
        pages += 1;
        if (pages === 3) throw new BrokerError('storage_unavailable', 'Storage does not answer.');
        yield page;
      }
    };
    const failing = { connections: { ...stores.connections, walkOwn } };
    await expect(run(failing)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect((await stores.reconcileRounds.read())?.figures.grants).toBe(2);
    expect(await run(failing)).toMatchObject({ state: 'ended', round: { figures: { grants: 4, inserted: 4 } } });
  });

  it('begins its phase again when storage does not take the cursor any more', async () => {
    const { stores, clock, logged } = harness;
    await harness.createOwn(2);
    const begun = newRound(undefined, clock.now());
    expect(await stores.reconcileRounds.write({ ...begun, cursor: 'stale' })).toBe(true);
    expect(await harness.run()).toMatchObject({ state: 'ended', round: { figures: { inserted: 2 } } });
    expect(logged[0]).toMatchObject({ event: 'reconcile_cursor_refused', fields: { phase: 'connections' } });
  });

  it('is done by one of several processes that begin at once; the others stop', async () => {
    const { entries, wanted } = harness;
    await harness.createOwn(30);
    const runs = await Promise.all([1, 2, 3, 4].map(() => harness.run()));
    const states = runs.map((run) => run?.state);
    expect(states.filter((state) => state === 'ended')).toHaveLength(1);
    expect(states.filter((state) => state === 'overtaken' || state === undefined)).toHaveLength(3);
    expect(await entries()).toEqual(await wanted());
  });
});

describe('a row of the audit log that makes no sense', () => {
  it.each([
    ['a head', { partitionKey: '!heads|209901', rowKey: '01|chain' }],
    ['the newest checkpoint', { partitionKey: '!checkpoint', rowKey: '20981231' }],
  ])('keeps no round from ending, nor the next from beginning: %s', async (_what, place) => {
    const { clock, logged, run } = harness;
    clock.advance(Date.UTC(2099, 0, 2, 12) - clock.now());
    await harness.tables.raw('OAuthAudit').createEntity({ ...place, at: 'about noon' });
    expect(await run()).toMatchObject({ state: 'ended' });
    expect(logged.filter(({ level }) => level === 'error')).toMatchObject([
      {
        event: 'audit_checkpoint_not_kept',
        fields: { cause: { code: 'internal_error', detail: expect.stringContaining(place.rowKey) } },
      },
    ]);
    clock.advance(dayMs);
    await harness.createOwn(1);
    expect(await run()).toMatchObject({ state: 'ended', round: { figures: { inserted: 1 } } });
  });

  it('is told apart from storage that does not answer: then the next run keeps the checkpoint', async () => {
    const { stores, logged, run } = harness;
    const latestCheckpoint = async () => {
      throw new BrokerError('storage_unavailable', 'Storage does not answer.');
    };
    const failing = run({ auditLog: { ...stores.auditLog, latestCheckpoint } });
    await expect(failing).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await run()).toMatchObject({ state: 'ended' });
    expect(logged.map(({ event }) => event)).toEqual(['audit_checkpoint', 'reconcile_worked']);
  });
});

describe('the checkpoint', () => {
  it('is written by one of several that follow the same step, and not twice', async () => {
    const { reconcileRounds } = harness.stores;
    const first = newRound(undefined, 5);
    const cursors = ['a', 'b', 'c'];
    const written = await Promise.all(cursors.map((cursor) => reconcileRounds.write({ ...first, cursor })));
    expect(written.filter(Boolean)).toHaveLength(1);
    expect(await reconcileRounds.write(first)).toBe(false);
    expect(await reconcileRounds.read()).toEqual({ ...first, cursor: cursors[written.indexOf(true)] });
  });
});
