import { beforeEach, describe, expect, it } from 'vitest';
import { sweepAt } from '../../src/domain/due.ts';
import { emptyGrant, type GrantKey, serverOf } from '../../src/domain/grant.ts';
import { collect } from '../support/collect.ts';
import { createReconcileHarness, nameOf, type ReconcileHarness } from '../support/reconcile-harness.ts';
import { globex, ownKey, sampleConnection, userKey } from '../support/tables-samples.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

let harness: ReconcileHarness;
beforeEach(async () => {
  harness = await createReconcileHarness();
});

describe('a round of the reconcile', () => {
  it('makes index and grants agree, whatever crashes between writes have left (I13)', async () => {
    const { stores, run, entries, wanted, inHours, due } = harness;
    const own = await harness.createOwn(120);
    const shared = sampleConnection('shared');
    await stores.connections.create(shared, emptyGrant('g', 'endpoints-1'), null);
    const users = Array.from({ length: 80 }, (_, i) => userKey(shared, `user-${i}`));
    await Promise.all(users.map((key, i) => harness.createUser(key, due(5 + i / 10))));
    expect(await run()).toMatchObject({ state: 'ended', round: { figures: { grants: 201, inserted: 200 } } });
    expect(await entries()).toEqual(await wanted());

    const all = (await collect(stores.dueIndex.walk(null))).flatMap((page) => page.entries);
    for (const entry of all.filter((_, i) => i % 20 === 7)) await stores.dueIndex.remove(entry);
    for (const [i, key] of own.slice(0, 5).entries()) {
      await stores.dueIndex.insert({ key, at: inHours(i - 3), server: 's' });
      const ofNobody = ownKey(sampleConnection(`never-was-${i}`));
      await stores.dueIndex.insert({ key: ofNobody, at: inHours(i), server: 's' });
    }
    expect(await entries()).not.toEqual(await wanted());
    harness.clock.advance(dayMs);
    const figures = { grants: 201, inserted: 10, removed: 10 };
    expect(await run()).toMatchObject({ state: 'ended', round: { figures } });
    expect(await entries()).toEqual(await wanted());
    expect(await entries()).toHaveLength(200);
  });

  it('is one line in the log, with what it saw and mended', async () => {
    await harness.createOwn(3);
    await harness.run();
    const figures = { grants: 3, entries: 3, inserted: 3, removed: 0, emptied: 0, deleted: 0, unreadable: 0 };
    const purged = { purged_transactions: 0, purged_job_rows: 0, purged_audit_rows: 0 };
    const about = { state: 'ended', phase: 'audit', started_at: expect.stringMatching(/Z$/) };
    const fields = { ...about, ...figures, ...purged };
    expect(harness.logged).toEqual([
      { level: 'info', event: 'audit_checkpoint', fields: expect.objectContaining({ heads: 0, prev: '' }) },
      { level: 'info', event: 'reconcile_worked', fields },
    ]);
  });

  it('warns in the log of each client secret that ends within 30 days', async () => {
    const { run, clock, stores, logged } = harness;
    for (const [name, days] of Object.entries({ soon: 29, later: 31 })) {
      const connection = sampleConnection(name, globex, { clientSecretExpiresAt: clock.now() + days * dayMs });
      await stores.connections.create(connection, emptyGrant('g', 'endpoints-1'), null);
    }
    await run();
    expect(logged.filter(({ level }) => level === 'warn')).toEqual([
      {
        level: 'warn',
        event: 'client_secret_expires',
        fields: { org: globex, connection: 'soon', expires_at: expect.stringMatching(/Z$/) },
      },
    ]);
  });

  it('leaves an entry alone that is younger than an hour: its write may be under way', async () => {
    const { run, clock, inHours, stores } = harness;
    const [key] = await harness.createOwn(1);
    await stores.dueIndex.insert({ key, at: inHours(9), server: 's' });
    clock.advance(hourMs - 60_000);
    expect(await run()).toMatchObject({ round: { figures: { removed: 0 } } });
    clock.advance(dayMs);
    expect(await run()).toMatchObject({ round: { figures: { removed: 1 } } });
  });

  it('puts an entry back whose grant came back to its time while it was removed', async () => {
    const { run, clock, inHours, entries, stores } = harness;
    const [key] = await harness.createOwn(1);
    const at = inHours(9);
    await stores.dueIndex.insert({ key, at, server: 's' });
    clock.advance(2 * hourMs);
    const remove: typeof stores.dueIndex.remove = async (entry) => {
      // A writer comes in between: it finds its entry there, and writes none.
      await stores.grants.update(key, (now) => now && { grant: { ...now.grant, dueAt: at } });
      expect(await stores.dueIndex.insert({ key, at, server: 's' })).toBe(false);
      await stores.dueIndex.remove(entry);
    };
    await run({ dueIndex: { ...stores.dueIndex, remove } });
    expect(await entries()).toContain(nameOf({ key, at }));
  });

  it('takes its own entry back when the grant has moved on since it was listed', async () => {
    const { run, inHours, entries, wanted, stores } = harness;
    const [key] = await harness.createOwn(1);
    let isMoved = false;
    const insert: typeof stores.dueIndex.insert = async (entry) => {
      if (!isMoved) {
        isMoved = true;
        await harness.indexed().grants.update(key, (now) => now && { grant: { ...now.grant, dueAt: inHours(30) } });
      }
      return stores.dueIndex.insert(entry);
    };
    const figures = { inserted: 0 };
    expect(await run({ dueIndex: { ...stores.dueIndex, insert } })).toMatchObject({ round: { figures } });
    expect(await entries()).toEqual(await wanted());
  });

  it('is not held up by a grant that cannot be read, and leaves it as it is', async () => {
    const { run, clock, entries, stores } = harness;
    const [bad, good] = await harness.createOwn(2);
    await run();
    clock.advance(dayMs);
    const before = await entries();
    const stored = good && (await stores.grants.read(good));
    if (stored === undefined) throw new Error('no grant');
    await stores.dueIndex.remove({ key: stored.key, at: sweepAt(stored.grant) ?? 0 });
    const row = { partitionKey: bad.org, rowKey: bad.connection, seq: 'many' };
    await harness.tables.raw('OAuthConnections').updateEntity(row, 'Merge');
    const figures = { unreadable: 1, inserted: 1, removed: 0 };
    expect(await run()).toMatchObject({ state: 'ended', round: { figures } });
    expect(await entries()).toEqual(before);
  });
});

describe('users’ grants in a round', () => {
  const connection = sampleConnection('shared');
  const grantOf = async (key: GrantKey) => (await harness.stores.grants.read(key))?.grant;

  it('are deleted when their connection is gone, emptied when it has moved, and else kept', async () => {
    const { stores, due, inHours, createUser } = harness;
    const live = sampleConnection('live');
    const moved = { ...sampleConnection('moved'), endpointsId: 'endpoints-2' };
    for (const each of [live, moved]) await stores.connections.create(each, emptyGrant('g', each.endpointsId), null);
    const ofLive = await createUser(userKey(live, 'ann'), due(5));
    const ofMoved = await createUser(userKey(moved, 'ann'), due(5, { seq: 8 }));
    const ofGone = await createUser(userKey(connection, 'ann', globex), due(5));
    for (const key of [ofLive, ofMoved, ofGone]) await stores.dueIndex.insert({ key, at: inHours(5), server: 's' });
    const before = await grantOf(ofLive);
    expect(await harness.run()).toMatchObject({ round: { figures: { emptied: 1, deleted: 1 } } });
    expect(await grantOf(ofLive)).toEqual(before);
    expect(await grantOf(ofGone)).toBeUndefined();
    const emptied = { status: 'not_connected', hasTokens: false, seq: 8, endpointsId: 'endpoints-2', dueAt: null };
    expect(await grantOf(ofMoved)).toMatchObject(emptied);
    const stored = await stores.grants.read(ofMoved);
    expect(stored && (await stores.grants.open(stored))).toBeNull();
  });

  it('lose their entries with their tokens', async () => {
    const grant = harness.due(5);
    const key = await harness.createUser(userKey(connection, 'ann'), grant);
    await harness.stores.dueIndex.insert({ key, at: grant.dueAt ?? 0, server: serverOf(grant) });
    await harness.run();
    expect(await harness.entries()).toEqual([]);
  });

  it.each(['deleted', 'moved'])('are kept when they were given anew while theirs was taken for %s', async (how) => {
    const { stores, due, createUser } = harness;
    const moved = { ...connection, endpointsId: 'endpoints-2' };
    if (how === 'moved') await stores.connections.create(moved, emptyGrant('g', 'endpoints-2'), null);
    const key = await createUser(userKey(connection, 'ann'), due(5));
    const anew = due(7, { generation: 'anew', seq: 2, endpointsId: 'endpoints-3' });
    const get: typeof stores.connections.get = async (place) => {
      const found = await stores.connections.get(place);
      await createUser(key, anew);
      return found;
    };
    const figures = { emptied: 0, deleted: 0 };
    expect(await harness.run({ connections: { ...stores.connections, get } })).toMatchObject({ round: { figures } });
    expect(await grantOf(key)).toEqual(anew);
  });
});
