import { randomBytes } from 'node:crypto';
import { afterEach, assert, beforeAll, describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';
import { createKeyring } from '../../src/crypto/keyring.ts';
import { Secret } from '../../src/domain/secret.ts';
import { createFlakyPolicy, createTableFaults, isRead, isWrite } from '../support/tables-faults.ts';
import { createTablesHarness, type HarnessOptions, type TablesHarness } from '../support/tables-harness.ts';
import { failedOnce, refreshed, revealed, sampleTokens } from '../support/tables-samples.ts';
import { claimed, connected } from './grant-lease.contract.ts';
import { rekeyStoreContract } from './rekey-store.contract.ts';
import { type RotatingStores, resealContract, walkContract } from './reseal.contract.ts';

const clock = createSystemClock();
const newKey = () => new Secret(randomBytes(32).toString('base64url'));

async function rotating(options: HarnessOptions = {}): Promise<RotatingStores & { readonly harness: TablesHarness }> {
  const keys = [newKey()];
  const keyring = createKeyring({ load: async () => [...keys], clock, randomBytes });
  const harness = await createTablesHarness({ ...options, keyring });
  return {
    harness,
    ...harness.stores,
    async addKey() {
      keys.unshift(newKey());
      const [id] = await keyring.reload();
      assert(id !== undefined);
      return id;
    },
    withNewestKeyOnly() {
      const newest = keys.slice(0, 1);
      return harness.another({ keyring: createKeyring({ load: async () => newest, clock, randomBytes }) });
    },
  };
}

resealContract(rotating);
rekeyStoreContract(async () => (await createTablesHarness()).stores);
walkContract(async () => (await createTablesHarness()).stores);

describe('while storage loses replies and refuses requests', () => {
  resealContract(() => rotating({ policies: [createFlakyPolicy()] }));
  rekeyStoreContract(async () => (await createTablesHarness({ policies: [createFlakyPolicy()] })).stores);
});

describe('between the read and the write of sealing anew', () => {
  const faults = createTableFaults();
  let stores: Awaited<ReturnType<typeof rotating>>;
  beforeAll(async () => {
    stores = await rotating();
  });
  afterEach(() => faults.clear());

  it.each([
    ['new tokens', refreshed, 'two', 'current'],
    ['a failure that leaves the tokens', failedOnce, 'one', 'sealed_anew'],
  ] as const)('a commit of %s is not written over: it reads again (I14)', async (what, change, mark, kind) => {
    const stored = await connected(stores, what.replaceAll(' ', '-'));
    const keyId = await stores.addKey();
    const claim = await claimed(stores.grants, stored);
    const slow = stores.harness.another({ policies: [faults.policy] }).grants;
    faults.before(isWrite, () => stores.grants.commit(claim, change(claim.stored, 'two')));
    expect(await slow.reseal(stored.key)).toEqual({ kind, keyId });
    const newest = stores.withNewestKeyOnly().grants;
    const now = await newest.read(stored.key);
    expect(now && revealed(await newest.open(now))).toEqual(revealed(sampleTokens(mark)));
    expect(now?.grant.seq).toBe(mark === 'two' ? 2 : 1);
  });

  it('a deletion stays (I5)', async () => {
    const stored = await connected(stores, 'deleted');
    await stores.addKey();
    const slow = stores.harness.another({ policies: [faults.policy] }).grants;
    faults.before(isWrite, () => stores.connections.remove({ org: stored.key.org, name: stored.key.connection }));
    expect(await slow.reseal(stored.key)).toEqual({ kind: 'gone' });
    expect(await stores.grants.read(stored.key)).toBeUndefined();
  });

  it('a lost reply is no second sealing, and an outage is no unreadable row', async () => {
    const stored = await connected(stores, 'lost-reply');
    const keyId = await stores.addKey();
    const slow = stores.harness.another({ policies: [faults.policy] }).grants;
    faults.dropReply(isWrite, 1, 'timeout');
    expect(await slow.reseal(stored.key)).toEqual({ kind: 'sealed_anew', keyId });
    faults.clear();
    faults.answer(isRead, 503, 100);
    await expect(slow.reseal(stored.key)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });
});
