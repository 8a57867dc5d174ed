import { assert, beforeAll, describe, expect, it, vi } from 'vitest';
import { withoutTokens } from '../../src/domain/grant.ts';
import { withDeath } from '../../src/domain/grant-transitions.ts';
import type { Claim, GrantStore, StoredGrant } from '../../src/ports/grant-store.ts';
import {
  acme,
  failedOnce,
  ownKey,
  refreshed,
  replaced,
  revealed,
  sampleConnection,
  sampleGrant,
  sampleTokens,
  userKey,
} from '../support/tables-samples.ts';
import type { ConnectionStores } from './connection-store.contract.ts';

export const never = () => false;

/** A new connection with tokens, and its grant as read. */
export async function connected({ connections, grants }: ConnectionStores, name: string): Promise<StoredGrant> {
  const connection = sampleConnection(name, acme);
  await connections.create(connection, sampleGrant(), sampleTokens());
  const stored = await grants.read(ownKey(connection));
  assert(stored !== undefined);
  return stored;
}

export async function claimed(grants: GrantStore, stored: StoredGrant): Promise<Claim> {
  const result = await grants.claim(stored, never);
  assert(result.kind === 'claimed', `claimed, not ${result.kind}`);
  return result.claim;
}

/** Leases must live for 30 s here. */
export function grantLeaseContract(makeStores: () => Promise<ConnectionStores>): void {
  describe('a lease', () => {
    let stores: ConnectionStores;
    let grants: GrantStore;
    beforeAll(async () => {
      stores = await makeStores();
      ({ grants } = stores);
    });

    it('goes to exactly one of 16 parallel claimants, and the others learn that it is held', async () => {
      const stored = await connected(stores, 'claimants');
      const results = await Promise.all(Array.from({ length: 16 }, () => grants.claim(stored, never)));
      expect(results.filter(({ kind }) => kind === 'claimed')).toHaveLength(1);
      expect(results.filter(({ kind }) => kind === 'busy')).toHaveLength(15);
    });

    it('goes to one claimant for a user as well, and users do not wait for each other', async () => {
      const connection = sampleConnection('users-lease');
      const [ann, bob] = await Promise.all(
        ['ann', 'bob'].map((user) =>
          grants.update(userKey(connection, user), () => ({ grant: sampleGrant(), tokens: sampleTokens(user) })),
        ),
      );
      assert(ann !== undefined && bob !== undefined);
      await claimed(grants, ann);
      expect(await grants.claim(ann, never)).toMatchObject({ kind: 'busy' });
      expect(await claimed(grants, bob)).toMatchObject({ isTakeover: false });
    });

    it('is not given when the grant is fresh, as it is now and not as it was', async () => {
      const stored = await connected(stores, 'fresh');
      const claim = await claimed(grants, stored);
      await grants.commit(claim, refreshed(claim.stored, 'two'));
      const result = await grants.claim(stored, ({ grant }) => grant.seq > stored.grant.seq);
      expect(result).toMatchObject({ kind: 'fresh', stored: { grant: { seq: 2 } } });
    });

    it('ends some 30 s after it was asked for', async () => {
      const before = Date.now();
      const claim = await claimed(grants, await connected(stores, 'ends'));
      expect(claim.endsAt).toBeGreaterThanOrEqual(before + 30_000);
      expect(claim.endsAt).toBeLessThanOrEqual(Date.now() + 30_000);
    });

    it('ends with the commit: the next claim is no takeover', async () => {
      const stored = await connected(stores, 'commit');
      const claim = await claimed(grants, stored);
      const result = await grants.commit(claim, refreshed(claim.stored, 'two'));
      assert(result.kind === 'committed');
      expect(result.stored.grant).toMatchObject({ seq: 2, expiresAt: 1_800_000_000_000, failure: null });
      expect(revealed(await grants.open(result.stored))).toEqual(revealed(sampleTokens('two')));
      const now = await grants.read(stored.key);
      expect(now?.grant).toEqual(result.stored.grant);
      expect(now && (await claimed(grants, now)).isTakeover).toBe(false);
    });

    it('ends with a release: the next claim is no takeover and finds everything as it was', async () => {
      const stored = await connected(stores, 'release');
      await grants.release(await claimed(grants, stored));
      const next = await claimed(grants, stored);
      expect(next.isTakeover).toBe(false);
      expect(next.stored.grant).toEqual(stored.grant);
    });

    it('writes a failure without touching the tokens', async () => {
      const stored = await connected(stores, 'failure');
      const claim = await claimed(grants, stored);
      const result = await grants.commit(claim, failedOnce(claim.stored));
      assert(result.kind === 'committed');
      expect(result.stored.grant).toMatchObject({ seq: 1, failure: { attempts: 3 } });
      expect(revealed(await grants.open(result.stored))).toEqual(revealed(sampleTokens()));
    });

    it('writes a death, and erases the tokens when told to', async () => {
      const stored = await connected(stores, 'death');
      const claim = await claimed(grants, stored);
      const grant = withDeath(claim.stored.grant, 'needs_reauthorization', 'Authorize again.');
      expect(await grants.commit(claim, { grant, tokens: null })).toMatchObject({ kind: 'committed' });
      const now = await grants.read(stored.key);
      expect(now?.grant).toEqual(grant);
      expect(now && (await grants.open(now))).toBeNull();
    });

    it('survives a change of labels: the commit succeeds and both are kept', async () => {
      const stored = await connected(stores, 'relabelled');
      const claim = await claimed(grants, stored);
      const key = sampleConnection('relabelled');
      await stores.connections.update(key, ({ connection }) => ({
        connection: { ...connection, config: { ...connection.config, description: 'changed' } },
      }));
      expect(await grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({ kind: 'committed' });
      const now = await stores.connections.get(key);
      expect(now).toMatchObject({ connection: { config: { description: 'changed' } }, own: { grant: { seq: 2 } } });
      expect(now && revealed(await grants.open(now.own))).toEqual(revealed(sampleTokens('two')));
    });

    it('keeps an authorization and a use that were noted while it was held', async () => {
      const stored = await connected(stores, 'noted');
      const claim = await claimed(grants, stored);
      const pending = { stateHash: 'cd'.repeat(32), startedAt: 1, expiresAt: 2, testingUntil: 3 };
      await grants.update(stored.key, (current) => current && { grant: { ...current.grant, pending, lastUsedAt: 99 } });
      const result = await grants.commit(claim, refreshed(claim.stored, 'two'));
      expect(result).toMatchObject({ kind: 'committed', stored: { grant: { seq: 2, pending, lastUsedAt: 99 } } });
      expect((await grants.read(stored.key))?.grant).toMatchObject({ seq: 2, pending, lastUsedAt: 99 });
    });

    it('loses against a grant that was disconnected meanwhile, and writes nothing', async () => {
      const stored = await connected(stores, 'lost-disconnected');
      const claim = await claimed(grants, stored);
      const disconnected = withoutTokens(claim.stored.grant, 'generation-2', 'endpoints-1');
      await grants.update(stored.key, () => ({ grant: disconnected, tokens: null }));
      expect(await grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({
        kind: 'superseded',
        stored: { grant: disconnected },
      });
      const now = await grants.read(stored.key);
      expect(now?.grant).toEqual(disconnected);
      expect(now && (await grants.open(now))).toBeNull();
    });

    it('loses against a grant that was replaced meanwhile, and writes nothing', async () => {
      const stored = await connected(stores, 'lost-replaced');
      const claim = await claimed(grants, stored);
      const replacement = replaced(claim.stored, 'new');
      await grants.update(stored.key, () => replacement);
      expect(await grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({
        kind: 'superseded',
        stored: { grant: replacement.grant },
      });
      const now = await grants.read(stored.key);
      expect(now?.grant).toEqual(replacement.grant);
      expect(now && revealed(await grants.open(now))).toEqual(revealed(sampleTokens('new')));
    });

    it('ends with a commit that came too late: what follows is no takeover', async () => {
      const stored = await connected(stores, 'overruled');
      const claim = await claimed(grants, stored);
      await grants.update(stored.key, (current) => current && refreshed(current, 'other'));
      expect(await grants.commit(claim, refreshed(claim.stored, 'two'))).toMatchObject({ kind: 'superseded' });
      const next = await claimed(grants, stored);
      expect(next.isTakeover).toBe(false);
      expect(revealed(await grants.open(next.stored))).toEqual(revealed(sampleTokens('other')));
    });

    it('ends with a new generation: the grant can be claimed at once', async () => {
      const stored = await connected(stores, 'regenerated');
      await claimed(grants, stored);
      const now = await grants.update(stored.key, (current) => current && replaced(current, 'new'));
      expect(now && (await claimed(grants, now)).isTakeover).toBe(false);
    });

    it('leaves a deleted grant deleted on claim, commit, release, touch and update', async () => {
      const stored = await connected(stores, 'deleted-lease');
      const claim = await claimed(grants, stored);
      await stores.connections.remove(sampleConnection('deleted-lease'));
      expect(await grants.commit(claim, refreshed(claim.stored, 'two'))).toEqual({ kind: 'gone' });
      expect(await grants.claim(stored, never)).toEqual({ kind: 'gone' });
      await grants.release(claim);
      await grants.touch(claim.stored, Date.now());
      expect(await grants.update(stored.key, () => ({ grant: sampleGrant(), tokens: null }))).toBeUndefined();
      expect(await grants.read(stored.key)).toBeUndefined();
    });

    it("leaves a user's deleted grant deleted on commit and touch", async () => {
      const key = userKey(sampleConnection('deleted-user'), 'ann');
      const stored = await grants.update(key, () => ({ grant: sampleGrant(), tokens: sampleTokens() }));
      assert(stored !== undefined);
      const claim = await claimed(grants, stored);
      await grants.removeUser(key);
      expect(await grants.commit(claim, refreshed(claim.stored, 'two'))).toEqual({ kind: 'gone' });
      await grants.touch(claim.stored, Date.now());
      expect(await grants.read(key)).toBeUndefined();
    });

    it('can be taken for a grant that was listed, tokens included', async () => {
      await connected(stores, 'listed');
      const { items } = await stores.connections.list(acme, { limit: 100, continuation: null });
      const listed = items.find(({ connection }) => connection.name === 'listed');
      assert(listed !== undefined);
      const claim = await claimed(grants, listed.own);
      expect(revealed(await grants.open(claim.stored))).toEqual(revealed(sampleTokens()));
    });
  });
}

/** Leases must be short here: a second or two. */
export function leaseExpiryContract(makeStores: () => Promise<ConnectionStores>): void {
  describe.concurrent('a lease whose holder vanished', () => {
    let stores: ConnectionStores;
    let grants: GrantStore;
    beforeAll(async () => {
      stores = await makeStores();
      ({ grants } = stores);
    });

    /** Storage tells its time in whole seconds, so that a short lease can last a second longer. */
    const takeOver = (stored: StoredGrant) =>
      vi.waitFor(() => claimed(grants, stored), { timeout: 8000, interval: 100 });

    it('is taken over, and the successor is told', async () => {
      const stored = await connected(stores, 'takeover');
      await claimed(grants, stored);
      expect(await grants.claim(stored, never)).toMatchObject({ kind: 'busy' });
      expect((await takeOver(stored)).isTakeover).toBe(true);
    });

    it('stays on record until a new token set is written, releases and failures in between', async () => {
      const stored = await connected(stores, 'on-record');
      await claimed(grants, stored);
      await grants.release(await takeOver(stored));
      const second = await claimed(grants, stored);
      expect(second.isTakeover).toBe(true);
      await grants.commit(second, failedOnce(second.stored));
      const third = await claimed(grants, stored);
      expect(third.isTakeover).toBe(true);
      await grants.commit(third, refreshed(third.stored, 'two'));
      expect((await claimed(grants, stored)).isTakeover).toBe(false);
    });

    it('comes too late once the successor has new tokens', async () => {
      const stored = await connected(stores, 'late');
      const late = await claimed(grants, stored);
      const successor = await takeOver(stored);
      await grants.commit(successor, refreshed(successor.stored, 'successor'));
      expect(await grants.commit(late, refreshed(late.stored, 'late'))).toMatchObject({ kind: 'superseded' });
      const now = await grants.read(stored.key);
      expect(now?.grant.seq).toBe(2);
      expect(now && revealed(await grants.open(now))).toEqual(revealed(sampleTokens('successor')));
    });

    it('comes too late with new tokens while the successor is at work', async () => {
      const stored = await connected(stores, 'at-work');
      const late = await claimed(grants, stored);
      await takeOver(stored);
      expect(await grants.commit(late, refreshed(late.stored, 'late'))).toMatchObject({ kind: 'superseded' });
      expect((await grants.read(stored.key))?.grant.seq).toBe(1);
    });

    it('still brings its new tokens when the successor failed with the old ones', async () => {
      const stored = await connected(stores, 'rescue');
      const late = await claimed(grants, stored);
      const successor = await takeOver(stored);
      const grant = withDeath(successor.stored.grant, 'crash_outcome_unknown', 'Authorize again.');
      await grants.commit(successor, { grant, tokens: null });
      expect(await grants.commit(late, refreshed(late.stored, 'late'))).toMatchObject({ kind: 'committed' });
      const now = await grants.read(stored.key);
      expect(now?.grant).toMatchObject({ seq: 2, status: 'completed', statusReason: null, hasTokens: true });
      expect(now && revealed(await grants.open(now))).toEqual(revealed(sampleTokens('late')));
    });

    it('brings no failure after a takeover', async () => {
      const stored = await connected(stores, 'late-failure');
      const late = await claimed(grants, stored);
      const successor = await takeOver(stored);
      expect(await grants.commit(late, failedOnce(late.stored))).toMatchObject({ kind: 'superseded' });
      expect(await grants.commit(successor, refreshed(successor.stored, 'two'))).toMatchObject({ kind: 'committed' });
    });

    it('commits late when nobody took over', async () => {
      const stored = await connected(stores, 'nobody');
      const late = await claimed(grants, stored);
      await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(late.endsAt), { timeout: 8000 });
      expect(await grants.commit(late, refreshed(late.stored, 'late'))).toMatchObject({ kind: 'committed' });
    });
  });
}
