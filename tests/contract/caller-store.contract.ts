import { beforeAll, describe, expect, it } from 'vitest';
import { type ApiKeyRecord, type PrincipalRecord, principalId } from '../../src/domain/caller.ts';
import type { CallerStore } from '../../src/ports/caller-store.ts';

export function callerStoreContract(makeStores: () => Promise<{ readonly callers: CallerStore }>): void {
  describe('a caller store', () => {
    let callers: CallerStore;
    beforeAll(async () => {
      ({ callers } = await makeStores());
    });
    const key = (keyId: string, changes: Partial<ApiKeyRecord> = {}): ApiKeyRecord => ({
      kind: 'api_key',
      keyId,
      id: `key:${keyId}`,
      name: 'Nightly job',
      orgIds: ['acme', 'globex'],
      roles: ['reader', 'operator'],
      expiresAt: null,
      secretSha256: 'ab'.repeat(32),
      createdAt: 1_700_000_000_000,
      createdBy: 'bootstrap',
      lastUsedAt: null,
      rotatedTo: null,
      ...changes,
    });
    const principal = (digit: string, changes: Partial<PrincipalRecord> = {}): PrincipalRecord => {
      const objectId = `0000000${digit}-0000-4000-8000-000000000000`;
      const tenantId = '99999999-0000-4000-8000-000000000000';
      const id = principalId({ tenantId, objectId });
      const { name, orgIds, roles, expiresAt, createdAt, createdBy } = key('0');
      const common = { name, orgIds, roles, expiresAt, createdAt, createdBy };
      return { kind: 'entra', id, tenantId, objectId, ...common, ...changes };
    };

    it.each([1, 2, 3, 4, 5, 6, 100])('gives back callers as they were created, in pages of %i', async (limit) => {
      const { callers: own } = await makeStores();
      const keys = [
        key('aa11'),
        key('bb22', { expiresAt: 5, orgIds: ['*'], lastUsedAt: 7, rotatedTo: 'cc33' }),
        key('cc33'),
      ];
      const principals = [principal('1'), principal('2', { expiresAt: 5 })];
      for (const record of [...keys, ...principals]) expect(await own.create(record)).toBe(true);
      for (const record of keys) expect(await own.key(record.keyId)).toEqual(record);
      for (const record of principals) expect(await own.principal(record)).toEqual(record);
      const listed = [];
      let continuation: string | null = null;
      do {
        const page = await own.list({ limit, continuation });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        listed.push(...page.items);
        ({ continuation } = page);
      } while (continuation !== null);
      expect(listed).toEqual([...keys, ...principals]);
    });

    it.each(['entra.x', 'entra.e30', 'x'])(
      'refuses the continuation %s, which it has not given',
      async (continuation) => {
        await expect(callers.list({ limit: 5, continuation })).rejects.toMatchObject({ code: 'validation_failed' });
      },
    );

    it('creates a caller once', async () => {
      expect(await callers.create(principal('5'))).toBe(true);
      expect(await callers.create(principal('5', { roles: ['admin'] }))).toBe(false);
      expect(await callers.principal(principal('5'))).toMatchObject({ roles: ['reader', 'operator'] });
    });

    it('keeps principals of two tenants apart, also where they share an object id', async () => {
      const { objectId } = principal('7');
      const names = ['88888888', '99999999'].map((digits) => ({
        tenantId: `${digits}-0000-4000-8000-000000000000`,
        objectId,
      }));
      for (const name of names)
        expect(await callers.create(principal('7', { ...name, id: principalId(name) }))).toBe(true);
      for (const name of names) expect(await callers.principal(name)).toMatchObject({ ...name, id: principalId(name) });
      expect(await callers.removePrincipal(names[0] ?? principal('7'))).toBe(true);
      expect(await callers.principal(names[1] ?? principal('7'))).toMatchObject({ ...names[1] });
    });

    it('removes a caller once', async () => {
      await callers.create(key('dd44'));
      expect(await callers.removeKey('dd44')).toBe(true);
      expect(await callers.removeKey('dd44')).toBe(false);
      expect(await callers.key('dd44')).toBeUndefined();
      await callers.create(principal('6'));
      expect(await callers.removePrincipal(principal('6'))).toBe(true);
      expect(await callers.removePrincipal(principal('6'))).toBe(false);
      expect(await callers.principal(principal('6'))).toBeUndefined();
    });

    it('changes a key as it was decided on what is there, and leaves the rest', async () => {
      await callers.create(key('ee55'));
      expect(await callers.changeKey('ee55', () => ({ lastUsedAt: 9 }))).toBe(true);
      expect(await callers.changeKey('ee55', () => ({ rotatedTo: 'ff66', expiresAt: 5 }))).toBe(true);
      expect(await callers.changeKey('ee55', ({ rotatedTo }) => (rotatedTo === null ? {} : undefined))).toBe(false);
      expect(await callers.key('ee55')).toEqual(key('ee55', { lastUsedAt: 9, rotatedTo: 'ff66', expiresAt: 5 }));
    });

    it('changes a key once, whoever comes at the same time', async () => {
      await callers.create(key('ff77'));
      const claims = ['a', 'b', 'c', 'd'].map((rotatedTo) =>
        callers.changeKey('ff77', (current) => (current.rotatedTo === null ? { rotatedTo } : undefined)),
      );
      expect((await Promise.all(claims)).filter(Boolean)).toHaveLength(1);
    });

    it('brings no deleted key back by a change, not even one that was deleted between reading and writing', async () => {
      expect(await callers.changeKey('ab88', () => ({ lastUsedAt: 9 }))).toBe(false);
      await callers.create(key('ab99'));
      const removed: Promise<boolean>[] = [];
      const change = callers.changeKey('ab99', () => {
        removed.push(callers.removeKey('ab99'));
        return { lastUsedAt: 9 };
      });
      await change;
      expect(await Promise.all(removed)).toContain(true);
      expect(await callers.key('ab99')).toBeUndefined();
    });

    it.each(["a'b", 'a/b', '', '..', 'ü', 'a'.repeat(2000)])(
      'finds nobody for a key id that cannot be: %s',
      async (odd) => {
        expect(await callers.key(odd)).toBeUndefined();
        expect(await callers.principal({ tenantId: odd, objectId: odd })).toBeUndefined();
        expect(await callers.changeKey(odd, () => ({ lastUsedAt: 1 }))).toBe(false);
        expect(await callers.removeKey(odd)).toBe(false);
        expect(await callers.removePrincipal({ tenantId: odd, objectId: odd })).toBe(false);
      },
    );
  });
}
