import { assert, beforeAll, describe, expect, it } from 'vitest';
import type { GrantStore, StoredGrant, WalkPage } from '../../src/ports/grant-store.ts';
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
import type { ConnectionStores } from './connection-store.contract.ts';
import { claimed, connected } from './grant-lease.contract.ts';

export interface RotatingStores extends ConnectionStores {
  /** A key is added to the ring, which from now on seals. Resolves to its id. */
  addKey(): Promise<string>;
  /** The same tables with a ring that has the newest key alone. */
  withNewestKeyOnly(): ConnectionStores;
}

/** Leases must live for 30 s here. */
export function resealContract(makeStores: () => Promise<RotatingStores>): void {
  describe('sealing anew', () => {
    let stores: RotatingStores;
    let grants: GrantStore;
    beforeAll(async () => {
      stores = await makeStores();
      ({ grants } = stores);
    });

    const openedByNewest = async (stored: StoredGrant) => {
      const newest = stores.withNewestKeyOnly().grants;
      const now = await newest.read(stored.key);
      return now && revealed(await newest.open(now));
    };

    it('leaves everything as it was, for a ring that has lost the old key, and is needed once', async () => {
      const stored = await connected(stores, 'plain');
      const user = await grants.update(userKey(sampleConnection('plain'), 'ann'), () => ({
        grant: sampleGrant(),
        tokens: sampleTokens('ann'),
      }));
      assert(user !== undefined);
      const keyId = await stores.addKey();
      expect(await grants.sealingKey()).toBe(keyId);
      await expect(openedByNewest(stored)).rejects.toMatchObject({ code: 'grant_unreadable' });
      for (const { key, grant } of [stored, user]) {
        expect(await grants.reseal(key)).toEqual({ kind: 'sealed_anew', keyId });
        expect(await grants.reseal(key)).toEqual({ kind: 'current', keyId });
        expect((await grants.read(key))?.grant).toEqual(grant);
      }
      expect(await openedByNewest(stored)).toEqual(revealed(sampleTokens()));
      expect(await openedByNewest(user)).toEqual(revealed(sampleTokens('ann')));
    });

    it('finds the key that another process has added, when asked to read the keys afresh', async () => {
      const before = await grants.sealingKey({ fresh: true });
      const added = await stores.addKey();
      expect(added).not.toBe(before);
      expect(await grants.sealingKey({ fresh: true })).toBe(added);
    });

    it('leaves alone what holds no tokens, and what is gone: that stays gone', async () => {
      const connection = sampleConnection('empty');
      const grant = sampleGrant({ hasTokens: false, hasRefreshToken: false });
      await stores.connections.create(connection, grant, null);
      const stored = await stores.connections.get(connection);
      assert(stored !== undefined);
      await stores.addKey();
      expect(await grants.reseal(stored.own.key)).toEqual({ kind: 'empty' });
      await stores.connections.remove(connection);
      expect(await grants.reseal(stored.own.key)).toEqual({ kind: 'gone' });
      expect(await stores.connections.get(connection)).toBeUndefined();
      expect(await grants.reseal(userKey(connection, 'nobody'))).toEqual({ kind: 'gone' });
    });

    it('calls unreadable what no key of the ring opens, and leaves it as it is', async () => {
      const stored = await connected(stores, 'unreadable');
      await stores.addKey();
      const blind = stores.withNewestKeyOnly().grants;
      expect(await blind.reseal(stored.key)).toMatchObject({ kind: 'unreadable' });
      const now = await grants.read(stored.key);
      expect(now && revealed(await grants.open(now))).toEqual(revealed(sampleTokens()));
    });

    it.each([
      ['a new token set', refreshed, 'two'],
      ['a failure', failedOnce, undefined],
    ] as const)('in between does not keep whoever holds the lease from writing %s', async (what, change, mark) => {
      const name = `held-${what.replaceAll(' ', '-')}`;
      const stored = await connected(stores, name);
      const keyId = await stores.addKey();
      const claim = await claimed(grants, stored);
      expect(await grants.reseal(stored.key)).toEqual({ kind: 'sealed_anew', keyId });
      expect(await grants.claim(stored, () => false)).toMatchObject({ kind: 'busy' });
      const result = await grants.commit(claim, change(claim.stored, 'two'));
      expect(result).toMatchObject({ kind: 'committed' });
      expect(await openedByNewest(stored)).toEqual(revealed(sampleTokens(mark)));
      const now = await grants.read(stored.key);
      expect(now && (await claimed(grants, now)).isTakeover).toBe(false);
    });

    it('of a grant that is refreshed and replaced all the while loses nothing and blocks nobody', async () => {
      const stored = await connected(stores, 'busy');
      let isDone = false;
      let writes = 0;
      const resealing = (async () => {
        while (!isDone) {
          await stores.addKey();
          const results = await Promise.all([grants.reseal(stored.key), grants.reseal(stored.key)]);
          for (const { kind } of results) expect(['sealed_anew', 'current']).toContain(kind);
          writes += results.filter(({ kind }) => kind === 'sealed_anew').length;
        }
      })();
      let last = 'one';
      for (let round = 0; round < 12; round += 1) {
        last = `round-${round}`;
        if (round % 4 === 3) {
          await grants.update(stored.key, (current) => current && replaced(current, last));
          continue;
        }
        const now = await grants.read(stored.key);
        assert(now !== undefined);
        const claim = await claimed(grants, now);
        expect(await grants.commit(claim, refreshed(claim.stored, last))).toMatchObject({ kind: 'committed' });
      }
      isDone = true;
      await resealing;
      expect(writes).toBeGreaterThan(0);
      const now = await grants.read(stored.key);
      expect(now?.grant.seq).toBe(13);
      expect(now && revealed(await grants.open(now))).toEqual(revealed(sampleTokens(last)));
    });
  });
}

/** Two dozen connections and as many users' grants; nothing else may be in the tables. */
export function walkContract(makeStores: () => Promise<ConnectionStores>): void {
  describe('a walk over everything', () => {
    let stores: ConnectionStores;
    const names = Array.from({ length: 24 }, (_, index) => `w${String(index).padStart(2, '0')}`);
    beforeAll(async () => {
      stores = await makeStores();
      await Promise.all(
        names.map(async (name, index) => {
          const org = index % 2 === 0 ? acme : (`org-${index}` as typeof acme);
          const connection = sampleConnection(name, org);
          await stores.connections.create(connection, sampleGrant(), sampleTokens());
          await stores.grants.update(userKey(connection, 'ann'), () => ({ grant: sampleGrant(), tokens: null }));
        }),
      );
    });

    const walks = {
      connections: (cursor: string | null) =>
        namesOf(stores.connections.walkOwn(cursor, { limit: 5 }), ({ connection }) => connection.name),
      'users’ grants': (cursor: string | null) =>
        namesOf(stores.grants.walkUsers(cursor, { limit: 5 }), ({ key }) => key.connection),
    };

    async function* namesOf<Item>(pages: AsyncIterable<WalkPage<Item>>, nameOf: (item: Item) => string) {
      for await (const { items, leftOut, cursor } of pages) yield { names: items.map(nameOf), leftOut, cursor };
    }

    describe.each(Object.keys(walks) as (keyof typeof walks)[])('%s', (what) => {
      it('comes page by page, each once, and says when it ends', async () => {
        const seen: string[] = [];
        const cursors: (string | null)[] = [];
        for await (const page of walks[what](null)) {
          expect(page.names.length).toBeLessThanOrEqual(5);
          expect(page.leftOut).toBe(0);
          seen.push(...page.names);
          cursors.push(page.cursor);
        }
        expect(seen.toSorted()).toEqual(names);
        expect(cursors.at(-1)).toBeNull();
        expect(cursors.slice(0, -1).every((cursor) => cursor !== null)).toBe(true);
      });

      it('goes on from any cursor in another process, neither leaving out nor repeating', async () => {
        const seen: string[] = [];
        let cursor: string | null = null;
        do {
          const { value } = await walks[what](cursor).next();
          assert(value !== undefined);
          seen.push(...value.names);
          cursor = value.cursor;
        } while (cursor !== null);
        expect(seen.toSorted()).toEqual(names);
      });

      it('refuses a cursor that no page has given', async () => {
        for (const odd of ['x', "' or 1 eq 1", '']) {
          await expect(walks[what](odd).next()).rejects.toMatchObject({ code: 'validation_failed' });
        }
      });
    });
  });
}
