import { assert, describe, expect, it } from 'vitest';
import type { StoredConnection } from '../../src/ports/connection-store.ts';
import type { StoredGrant } from '../../src/ports/grant-store.ts';
import {
  createTableFaults,
  isClaim,
  isCommit,
  isDelete,
  isRead,
  isWrite,
  type RequestMatch,
  type TableFaults,
} from '../support/tables-faults.ts';
import { createTablesHarness, type TablesHarness } from '../support/tables-harness.ts';
import {
  acme,
  failedOnce,
  refreshed,
  replaced,
  revealed,
  sampleConnection,
  sampleGrant,
  sampleTokens,
  userKey,
} from '../support/tables-samples.ts';
import { claimed, connected, never } from './grant-lease.contract.ts';
import { sampleTransaction } from './small-stores.contract.ts';

const timedOut = async () => {
  throw Object.assign(new Error('The operation was aborted.'), { name: 'AbortError' });
};

interface Scene extends TablesHarness {
  readonly faults: TableFaults;
  readonly stored: StoredGrant;
  /** The same tables without the faults. */
  readonly calm: TablesHarness['stores'];
}

async function scene(name: string, leaseMs?: number): Promise<Scene> {
  const faults = createTableFaults();
  const lease = leaseMs === undefined ? {} : { leaseMs };
  const harness = await createTablesHarness({ policies: [faults.policy], timeoutMs: 2000, ...lease });
  const stored = await connected(harness.stores, name);
  return { ...harness, faults, stored, calm: harness.another({ policies: [] }) };
}

describe.concurrent.each(['reset', 'timeout'] as const)('a reply that was lost (%s)', (as) => {
  it('to a claim is resolved by reading: the lease is ours', async () => {
    const { stores, calm, faults, stored } = await scene('claim');
    faults.dropReply(isClaim, 1, as);
    const claim = await claimed(stores.grants, stored);
    expect(await calm.grants.claim(stored, never)).toMatchObject({ kind: 'busy' });
    expect(await stores.grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({ kind: 'committed' });
  });

  it('to a commit of tokens is resolved by reading: it was applied once', async () => {
    const { stores, calm, faults, stored } = await scene('commit');
    const claim = await claimed(stores.grants, stored);
    faults.dropReply(isCommit, 1, as);
    expect(await stores.grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({
      kind: 'committed',
      stored: { grant: { seq: 2 } },
    });
    const now = await calm.grants.read(stored.key);
    expect(now?.grant.seq).toBe(2);
    expect(now && revealed(await calm.grants.open(now))).toEqual(revealed(sampleTokens('two')));
  });

  it('to a commit of a failure is resolved by reading', async () => {
    const { stores, calm, faults, stored } = await scene('failure');
    const claim = await claimed(stores.grants, stored);
    faults.dropReply(isCommit, 1, as);
    expect(await stores.grants.commit(claim, failedOnce(claim.stored))).toMatchObject({ kind: 'committed' });
    expect((await calm.grants.read(stored.key))?.grant).toMatchObject({ seq: 1, failure: { attempts: 3 } });
  });

  it('to a creation is resolved by reading: it is no duplicate', async () => {
    const { stores, calm, faults } = await scene('creation');
    const connection = sampleConnection('created');
    faults.dropReply(isWrite, 1, as);
    const creation = stores.connections.create(connection, sampleGrant(), null);
    if (as === 'reset') await creation;
    else await expect(creation).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await calm.connections.get(connection)).toBeDefined();
  });

  it('to an update is resolved by reading: the updater does not see its own work', async () => {
    const { stores, faults } = await scene('update');
    faults.dropReply(isWrite, 1, as);
    const updated = await stores.connections.update(sampleConnection('update'), ({ connection }) => {
      if (connection.revision === 'revision-2') throw new Error('the revision has changed');
      return { connection: { ...connection, revision: 'revision-2' } };
    });
    expect(updated?.connection.revision).toBe('revision-2');
  });

  it('to a deletion loses neither the deletion nor what was deleted', async () => {
    const { stores, calm, faults } = await scene('deletion');
    faults.dropReply(isDelete, 1, as);
    const removed = await stores.connections.remove(sampleConnection('deletion'));
    assert(removed !== undefined);
    expect(revealed(await calm.grants.open(removed.own))).toEqual(revealed(sampleTokens()));
    expect(await calm.connections.get(sampleConnection('deletion'))).toBeUndefined();
  });

  it("to a deletion of a user's grant gives what was deleted, as it was last", async () => {
    const { stores, calm, faults } = await scene('deletion-user');
    const key = userKey(sampleConnection('deletion-user'), 'ann');
    const first = await calm.grants.update(key, () => ({ grant: sampleGrant(), tokens: sampleTokens() }));
    assert(first !== undefined);
    const claim = await claimed(calm.grants, first);
    faults.before(isDelete, () => calm.grants.commit(claim, refreshed(claim.stored, 'two')));
    faults.dropReply(isDelete, 1, as);
    const removed = await stores.grants.removeUser(key);
    assert(removed !== undefined);
    expect(revealed(await calm.grants.open(removed))).toEqual(revealed(sampleTokens('two')));
    expect(await calm.grants.read(key)).toBeUndefined();
  });

  it('to the consumption of a transaction never lets two consume it', async () => {
    const { stores, calm, faults } = await scene('consume');
    const transaction = sampleTransaction('a');
    await stores.transactions.create(transaction);
    faults.dropReply(isDelete, 1, as);
    await stores.transactions.consume(transaction.stateHash).catch(() => {});
    expect(await calm.transactions.consume(transaction.stateHash)).toBe(false);
  });
});

describe.concurrent('a commit', () => {
  it('that was applied counts as committed though others have refreshed since', async () => {
    const { stores, calm, faults, stored } = await scene('overtaken');
    const claim = await claimed(stores.grants, stored);
    faults.dropReply(isCommit, 1, 'timeout');
    faults.before(isRead, async () => {
      const next = await claimed(calm.grants, stored);
      await calm.grants.commit(next, refreshed(next.stored, 'three'));
    });
    expect(await stores.grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({
      kind: 'committed',
      stored: { grant: { seq: 3 } },
    });
  });

  it('goes on through refusals of storage while the lease lasts', async () => {
    const { stores, faults, stored } = await scene('refused');
    const claim = await claimed(stores.grants, stored);
    faults.answer(isCommit, 503, 5);
    faults.answer(isRead, 500, 2);
    expect(await stores.grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({ kind: 'committed' });
  });

  it('gives up when the lease has ended and nobody knows', async () => {
    const { stores, calm, faults, stored } = await scene('unknown', 1500);
    const claim = await claimed(stores.grants, stored);
    faults.answer(isCommit, 503, 1000);
    expect(await stores.grants.commit(claim, refreshed(claim.stored, 'two'))).toEqual({ kind: 'unknown' });
    expect(Date.now()).toBeGreaterThanOrEqual(claim.endsAt);
    expect((await calm.grants.read(stored.key))?.grant.seq).toBe(1);
  });

  it('writes nothing over a grant that is replaced at the very last moment', async () => {
    const { stores, calm, faults, stored } = await scene('replaced');
    const claim = await claimed(stores.grants, stored);
    faults.before(isCommit, () => calm.grants.update(stored.key, (current) => current && replaced(current, 'new')));
    expect(await stores.grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({ kind: 'superseded' });
    const now = await calm.grants.read(stored.key);
    assert(now !== undefined);
    expect(revealed(await calm.grants.open(now))).toEqual(revealed(sampleTokens('new')));
  });

  it('brings nothing back that is deleted at the very last moment', async () => {
    const { stores, calm, faults, stored } = await scene('deleted');
    const claim = await claimed(stores.grants, stored);
    faults.before(isCommit, () => calm.connections.remove(sampleConnection('deleted')));
    expect(await stores.grants.commit(claim, refreshed(claim.stored, 'two'))).toEqual({ kind: 'gone' });
    expect(await calm.grants.read(stored.key)).toBeUndefined();
  });
});

describe.concurrent('a deletion', () => {
  it('is read about until storage says whether it was applied', async () => {
    const { stores, calm, faults } = await scene('read-about');
    faults.dropReply(isDelete, 1, 'timeout');
    let reads = 0;
    // The first read is before the deletion; each that is refused the SDK tries four times.
    const afterwards: RequestMatch = (request) => isRead(request) && ++reads > 1;
    faults.answer(afterwards, 503, 4);
    expect((await stores.connections.remove(sampleConnection('read-about')))?.connection.name).toBe('read-about');
    expect(await calm.connections.get(sampleConnection('read-about'))).toBeUndefined();
  });

  it.each([
    ['and its reply is lost', timedOut],
    ['by somebody else', async () => {}],
  ])('leaves alone what was created anew under its name, after it was deleted %s', async (how, reply) => {
    const name = `anew-${how.length}`;
    const { stores, calm, faults } = await scene(name);
    faults.before(isDelete, async () => {
      await calm.connections.remove(sampleConnection(name));
      const next = sampleConnection(name, acme, { description: 'The new one' });
      await calm.connections.create(next, sampleGrant(), sampleTokens('new'));
      await reply();
    });
    const removed = await stores.connections.remove(sampleConnection(name));
    expect(removed?.connection.config.description).toBe('Files of the sales team');
    expect((await calm.connections.get(sampleConnection(name)))?.connection.config.description).toBe('The new one');
  });

  it('of what is not wanted any more by then is none', async () => {
    const { stores, calm, faults, stored } = await scene('kept');
    faults.before(isDelete, () => calm.grants.update(stored.key, (current) => current && replaced(current, 'new')));
    const { generation } = stored.grant;
    const isSame = ({ own }: StoredConnection) => own.grant.generation === generation;
    expect(await stores.connections.remove(sampleConnection('kept'), isSame)).toBeUndefined();
    expect(await calm.connections.get(sampleConnection('kept'))).toBeDefined();
  });

  it('is given up after three tries without an answer, and may not have been applied', async () => {
    const { stores, calm, faults } = await scene('unanswered');
    const before = faults.requests.length;
    faults.before(isDelete, timedOut);
    faults.before(isDelete, timedOut);
    faults.before(isDelete, timedOut);
    const removal = stores.connections.remove(sampleConnection('unanswered'));
    await expect(removal).rejects.toMatchObject({ code: 'storage_unavailable' });
    const sent = faults.requests.slice(before).map((request) => request.split(' ')[0]);
    expect(sent).toEqual(['GET', 'DELETE', 'GET', 'DELETE', 'GET', 'DELETE']);
    expect(await calm.connections.get(sampleConnection('unanswered'))).toBeDefined();
  });

  it('of nothing is nothing, and storage that is down is not asked again for it', async () => {
    const { stores, faults } = await scene('nothing');
    expect(await stores.connections.remove(sampleConnection('never-was'))).toBeUndefined();
    faults.answer(isRead, 403, 100);
    const before = faults.requests.length;
    await expect(stores.connections.remove(sampleConnection('nothing'))).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect(faults.requests.length - before).toBe(1);
  });
});

describe.concurrent('a claim', () => {
  it('that lost a race at the very last moment is busy', async () => {
    const { stores, calm, faults, stored } = await scene('raced');
    faults.before(isClaim, () => calm.grants.claim(stored, never));
    expect(await stores.grants.claim(stored, never)).toMatchObject({ kind: 'busy' });
  });

  it('is tried again when somebody changed a label at the very last moment', async () => {
    const { stores, calm, faults, stored } = await scene('label');
    faults.before(isClaim, () =>
      calm.connections.update(sampleConnection('label'), ({ connection }) => ({
        connection: { ...connection, revision: 'revision-2' },
      })),
    );
    expect(await claimed(stores.grants, stored)).toMatchObject({ isTakeover: false });
  });

  it('takes three requests with its read and its commit', async () => {
    const { stores, faults, stored } = await scene('requests');
    const before = faults.requests.length;
    const read = await stores.grants.read(stored.key);
    assert(read !== undefined);
    const claim = await claimed(stores.grants, read);
    await stores.grants.commit(claim, refreshed(claim.stored, 'two'));
    expect(faults.requests.length - before).toBe(3);
  });
});

describe.concurrent('storage that does not answer', () => {
  it('is storage_unavailable, and the error holds nothing of what was sent', async () => {
    const { stores, faults, stored } = await scene('down');
    faults.answer(() => true, 503, 1000);
    const error: unknown = await stores.grants.read(stored.key).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'storage_unavailable',
      message: 'Storage does not answer. Try again shortly.',
    });
    expect(error).not.toHaveProperty('cause');
    expect(error).toHaveProperty('detail', expect.stringMatching(/^read t\w+OAuthConnections: RestError 503$/));
    await expect(stores.connections.list(stored.key.org, { limit: 5, continuation: null })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect(await stores.isReachable()).toBe(false);
    faults.clear();
    expect(await stores.isReachable()).toBe(true);
  });

  it('is given up in time when it hangs', async () => {
    const { stores, faults, stored } = await scene('hangs');
    faults.before(isRead, () => new Promise((resolve) => setTimeout(resolve, 2500)));
    await expect(stores.grants.read(stored.key)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('is not taken for an absence when a table is missing', async () => {
    const { stores, raw, stored } = await scene('missing');
    await raw('OAuthConnections').deleteTable();
    await expect(stores.grants.read(stored.key)).rejects.toMatchObject({ code: 'storage_unavailable' });
    await expect(stores.grants.claim(stored, never)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(await stores.isReachable()).toBe(false);
  });
});
