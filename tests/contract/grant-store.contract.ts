import { assert, beforeAll, describe, expect, it } from 'vitest';
import { GLOBAL } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { GrantStore } from '../../src/ports/grant-store.ts';
import {
  acme,
  globex,
  ownKey,
  revealed,
  sampleConnection,
  sampleGrant,
  sampleTokens,
  userKey,
} from '../support/tables-samples.ts';
import type { ConnectionStores } from './connection-store.contract.ts';

const day = 24 * 60 * 60 * 1000;

export function grantStoreContract(makeStores: () => Promise<ConnectionStores>): void {
  describe('a grant store', () => {
    let stores: ConnectionStores;
    let grants: GrantStore;
    beforeAll(async () => {
      stores = await makeStores();
      ({ grants } = stores);
    });

    const create = (key: Parameters<GrantStore['update']>[0], mark: string) =>
      grants.update(key, () => ({ grant: sampleGrant(), tokens: sampleTokens(mark) }));

    it.each([
      'ann',
      'ann@example.com',
      'a/b\\c#d?e',
      "o'brien",
      '用户-ünï-🦀',
      ' ',
      '\u0000\u0007\n',
      "x' or PartitionKey ne '",
      '..%2f..',
      'z'.repeat(256),
      '🦀'.repeat(128),
    ])("keeps a user's grant whatever the user is called: %j", async (user) => {
      const key = userKey(sampleConnection('odd'), user);
      await create(key, 'odd');
      const stored = await grants.read(key);
      expect(stored?.key).toEqual(key);
      expect(stored?.grant).toEqual(sampleGrant());
      expect(stored && revealed(await grants.open(stored))).toEqual(revealed(sampleTokens('odd')));
    });

    it('keeps users, organisations and connections apart, and the own grant from all of them', async () => {
      const connection = sampleConnection('apart');
      const shared = sampleConnection('apart', GLOBAL);
      await stores.connections.create(connection, sampleGrant(), sampleTokens('own'));
      const keys = {
        ann: userKey(connection, 'ann'),
        bob: userKey(connection, 'bob'),
        'ann of globex': userKey(sampleConnection('apart', globex), 'ann'),
        'ann through GLOBAL': userKey(shared, 'ann', acme),
        'ann elsewhere': userKey(sampleConnection('apart-2'), 'ann'),
      };
      for (const [mark, key] of Object.entries(keys)) await create(key, mark);
      for (const [mark, key] of Object.entries({ ...keys, own: ownKey(connection) })) {
        const stored = await grants.read(key);
        expect(stored && revealed(await grants.open(stored))).toEqual(revealed(sampleTokens(mark)));
      }
    });

    it("creates a user's grant once, however many begin at the same time", async () => {
      const key = userKey(sampleConnection('once'), 'ann');
      let created = 0;
      await Promise.all(
        Array.from({ length: 8 }, () =>
          grants.update(key, (current) => {
            const { grant } = current ?? { grant: sampleGrant({ seq: 0 }) };
            return { grant: { ...grant, seq: grant.seq + 1 }, tokens: sampleTokens() };
          }),
        ),
      );
      created = (await grants.read(key))?.grant.seq ?? 0;
      expect(created).toBe(8);
    });

    it("never creates the organisation's own grant", async () => {
      const key = ownKey(sampleConnection('missing'));
      let asked = false;
      const stored = await grants.update(key, () => {
        asked = true;
        return { grant: sampleGrant(), tokens: null };
      });
      expect([stored, asked, await grants.read(key)]).toEqual([undefined, false, undefined]);
    });

    it('insists on tokens that fit a new seq or generation', async () => {
      const key = userKey(sampleConnection('fit'), 'ann');
      await create(key, 'fit');
      const forget = (changes: object) =>
        grants.update(key, (current) => current && { grant: { ...current.grant, ...changes } });
      await expect(forget({ seq: 2 })).rejects.toThrow('the tokens must be given');
      await expect(forget({ generation: 'other' })).rejects.toThrow('the tokens must be given');
      await forget({ lastUsedAt: 5 });
      const stored = await grants.read(key);
      expect(stored?.grant.lastUsedAt).toBe(5);
      expect(stored && revealed(await grants.open(stored))).toEqual(revealed(sampleTokens('fit')));
    });

    it.each([1, 8, 24.5, 24.6, 33, 64, 199])('keeps tokens of %d KB whole', async (kilobytes) => {
      const key = userKey(sampleConnection('large'), `user-${kilobytes}`);
      const tokens = sampleTokens('large', { accessToken: new Secret('x'.repeat(kilobytes * 1024)) });
      await grants.update(key, () => ({ grant: sampleGrant(), tokens }));
      const stored = await grants.read(key);
      expect(stored && revealed(await grants.open(stored))).toEqual(revealed(tokens));
    });

    it('leaves nothing of large tokens behind when small ones follow', async () => {
      const key = userKey(sampleConnection('shrunk'), 'ann');
      const tokens = sampleTokens('large', { accessToken: new Secret('x'.repeat(190 * 1024)) });
      await grants.update(key, () => ({ grant: sampleGrant(), tokens }));
      await grants.update(key, (current) => current && { grant: { ...current.grant, seq: 2 }, tokens: sampleTokens() });
      const stored = await grants.read(key);
      expect(stored && revealed(await grants.open(stored))).toEqual(revealed(sampleTokens()));
    });

    it.each([201, 900])('refuses tokens of %d KB and writes nothing', async (kilobytes) => {
      const tokens = sampleTokens('huge', { refreshToken: new Secret('x'.repeat(kilobytes * 1024)) });
      const key = userKey(sampleConnection('huge'), 'ann');
      const refused = grants.update(key, () => ({ grant: sampleGrant(), tokens }));
      await expect(refused).rejects.toMatchObject({ code: 'tokens_too_large' });
      expect(await grants.read(key)).toBeUndefined();

      const connection = sampleConnection(`huge-${kilobytes}`);
      await expect(stores.connections.create(connection, sampleGrant(), tokens)).rejects.toMatchObject({
        code: 'tokens_too_large',
      });
      expect(await stores.connections.get(connection)).toBeUndefined();
    });

    it('notes a use once a day', async () => {
      const key = userKey(sampleConnection('touched'), 'ann');
      const created = await grants.update(key, () => ({ grant: sampleGrant({ lastUsedAt: null }), tokens: null }));
      assert(created !== undefined);
      const at = 1_700_000_000_000;
      await grants.touch(created, at);
      for (const later of [at + 1, at + day - 1, at + day, at + day + 1]) {
        const stored = await grants.read(key);
        if (stored !== undefined) await grants.touch(stored, later);
      }
      expect((await grants.read(key))?.grant.lastUsedAt).toBe(at + day);
    });

    it('does not note a use over a change that it has not seen', async () => {
      const key = userKey(sampleConnection('touched-late'), 'ann');
      const created = await grants.update(key, () => ({ grant: sampleGrant({ lastUsedAt: null }), tokens: null }));
      await grants.update(key, (current) => current && { grant: { ...current.grant, lastUsedAt: 7 } });
      if (created !== undefined) await grants.touch(created, 1_700_000_000_000);
      expect((await grants.read(key))?.grant.lastUsedAt).toBe(7);
    });

    it("lists the users of one connection in one organisation, page by page, and removes a user's grant", async () => {
      const connection = sampleConnection('listed');
      const users = ['a', 'b', 'c', 'd', 'e'];
      for (const user of users) await create(userKey(connection, user), user);
      await create(userKey(sampleConnection('listed', GLOBAL), 'stranger', acme), 'stranger');
      await create(userKey(sampleConnection('listed2'), 'stranger'), 'stranger');
      await grants.removeUser(userKey(connection, 'c'));
      await grants.removeUser(userKey(connection, 'c'));
      const seen: (string | null)[] = [];
      let continuation: string | null = null;
      do {
        const page = await grants.listUsers(connection, acme, { limit: 2, continuation });
        seen.push(...page.items.map(({ key }) => key.userId));
        continuation = page.continuation;
      } while (continuation !== null);
      expect(seen.toSorted()).toEqual(['a', 'b', 'd', 'e']);
      const refused = grants.listUsers(connection, acme, { limit: 2, continuation: 'x' });
      await expect(refused).rejects.toMatchObject({ code: 'validation_failed' });
    });

    it('opens a listed grant, unless it has changed since', async () => {
      const connection = sampleConnection('listed-open');
      const key = userKey(connection, 'ann');
      await create(key, 'ann');
      const { items } = await grants.listUsers(connection, acme, { limit: 2, continuation: null });
      const [listed] = items;
      assert(listed !== undefined);
      expect(revealed(await grants.open(listed))).toEqual(revealed(sampleTokens('ann')));
      await grants.update(key, ({ grant } = listed) => ({ grant: { ...grant, seq: 2 }, tokens: sampleTokens() }));
      await expect(grants.open(listed)).rejects.toMatchObject({ code: 'grant_unreadable' });
    });

    it("shows a sweep every user's grant of every organisation", async () => {
      const users = new Set<string>();
      for await (const { items } of grants.walkUsers(null)) {
        for (const { key } of items) users.add(`${key.org} ${key.connectionOrg} ${key.connection} ${key.userId}`);
      }
      expect([...users]).toEqual(
        expect.arrayContaining(['acme GLOBAL listed stranger', 'acme acme listed a', 'globex globex apart ann']),
      );
    });
  });
}
