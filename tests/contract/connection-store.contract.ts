import { beforeAll, describe, expect, it } from 'vitest';
import { emptyGrant, withoutTokens } from '../../src/domain/grant.ts';
import { toConnectionName, toOrgId } from '../../src/domain/ids.ts';
import type { ConnectionStore } from '../../src/ports/connection-store.ts';
import type { GrantStore } from '../../src/ports/grant-store.ts';
import { acme, ownKey, revealed, sampleConnection, sampleGrant, sampleTokens } from '../support/tables-samples.ts';

export interface ConnectionStores {
  readonly connections: ConnectionStore;
  readonly grants: GrantStore;
}

export function connectionStoreContract(makeStores: () => Promise<ConnectionStores>): void {
  describe('a connection store', () => {
    let connections: ConnectionStore;
    let grants: GrantStore;
    beforeAll(async () => {
      ({ connections, grants } = await makeStores());
    });

    it('gives back a connection, its grant and its tokens as they were created', async () => {
      const connection = sampleConnection('created');
      await connections.create(connection, sampleGrant(), sampleTokens());
      const stored = await connections.get(connection);
      expect(stored?.connection).toEqual(connection);
      expect(stored?.own.grant).toEqual(sampleGrant());
      expect(stored?.own.key).toEqual(ownKey(connection));
      expect(stored && revealed(await grants.open(stored.own))).toEqual(revealed(sampleTokens()));
    });

    it('keeps what is empty empty', async () => {
      const plain = sampleConnection('empty', acme, {
        scopes: null,
        description: null,
        tags: [],
        extraAuthorizeParams: {},
        endpoints: { ...sampleConnection().config.endpoints, authorizationUrl: null, userinfoUrl: null },
      });
      const connection = { ...plain, clientSecretRef: null };
      const grant = emptyGrant('generation-1', 'endpoints-1');
      await connections.create(connection, grant, null);
      const stored = await connections.get(connection);
      expect(stored?.connection).toEqual(connection);
      expect(stored?.own.grant).toEqual(grant);
      expect(stored && (await grants.open(stored.own))).toBeNull();
    });

    it('refuses a second connection of a name and leaves the first as it was', async () => {
      const connection = sampleConnection('twice');
      await connections.create(connection, sampleGrant(), sampleTokens());
      const second = sampleConnection('twice', acme, { clientId: 'another' });
      await expect(connections.create(second, sampleGrant(), null)).rejects.toMatchObject({
        code: 'connection_exists',
      });
      const stored = await connections.get(connection);
      expect(stored?.connection.config.clientId).toBe('client-1');
      expect(stored && (await grants.open(stored.own))).not.toBeNull();
    });

    it('lets exactly one of several parallel creations of a name win', async () => {
      const tries = Array.from({ length: 8 }, (_, index) =>
        connections.create(sampleConnection('race', acme, { clientId: `client-${index}` }), sampleGrant(), null),
      );
      const results = await Promise.allSettled(tries);
      const winners = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [`client-${index}`] : []));
      const stored = await connections.get(sampleConnection('race'));
      expect(winners).toEqual([stored?.connection.config.clientId]);
    });

    it('changes the configuration and leaves grant and tokens alone', async () => {
      const connection = sampleConnection('labels');
      await connections.create(connection, sampleGrant(), sampleTokens());
      const updated = await connections.update(connection, ({ connection: current }) => ({
        connection: { ...current, config: { ...current.config, description: null, tags: ['new'] } },
      }));
      expect(updated?.connection.config).toMatchObject({ description: null, tags: ['new'] });
      const stored = await connections.get(connection);
      expect(stored).toMatchObject({ connection: updated?.connection, own: { grant: sampleGrant() } });
      expect(stored && revealed(await grants.open(stored.own))).toEqual(revealed(sampleTokens()));
    });

    it('writes configuration, grant and erased tokens as one', async () => {
      const connection = sampleConnection('dropped');
      await connections.create(connection, sampleGrant(), sampleTokens());
      const updated = await connections.update(connection, ({ connection: current, own }) => ({
        connection: { ...current, endpointsId: 'endpoints-2' },
        grant: withoutTokens(own.grant, 'generation-2', 'endpoints-2'),
        tokens: null,
      }));
      const stored = await connections.get(connection);
      expect(stored?.connection.endpointsId).toBe('endpoints-2');
      expect(stored?.own.grant).toMatchObject({ generation: 'generation-2', seq: 1, hasTokens: false });
      expect(stored?.own.grant).toEqual(updated?.own.grant);
      expect(stored && (await grants.open(stored.own))).toBeNull();
    });

    it('writes nothing when the updater gives nothing, and passes on what it throws', async () => {
      const connection = sampleConnection('untouched');
      await connections.create(connection, sampleGrant(), null);
      const same = await connections.update(connection, () => undefined);
      expect(same?.connection).toEqual(connection);
      const refused = connections.update(connection, () => {
        throw new RangeError('no');
      });
      await expect(refused).rejects.toThrow(new RangeError('no'));
    });

    it('applies every one of 20 parallel updates', async () => {
      const connection = sampleConnection('parallel', acme, { tags: [] });
      await connections.create(connection, sampleGrant(), null);
      await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          connections.update(connection, ({ connection: current }) => ({
            connection: { ...current, config: { ...current.config, tags: [...current.config.tags, `tag-${index}`] } },
          })),
        ),
      );
      const tags = (await connections.get(connection))?.connection.config.tags ?? [];
      expect(tags.toSorted()).toEqual(Array.from({ length: 20 }, (_, index) => `tag-${index}`).toSorted());
    });

    it('deletes for good: an update that comes late brings nothing back', async () => {
      const connection = sampleConnection('deleted');
      await connections.create(connection, sampleGrant(), sampleTokens());
      const late = connections.update(connection, ({ connection: current }) => {
        return { connection: { ...current, revision: 'late' } };
      });
      const [removed] = await Promise.all([connections.remove(connection), late]);
      expect(removed?.connection.name).toBe('deleted');
      expect(removed && revealed(await grants.open(removed.own))).toEqual(revealed(sampleTokens()));
      expect(await connections.get(connection)).toBeUndefined();
      expect(
        await connections.update(connection, ({ connection: current }) => ({ connection: current })),
      ).toBeUndefined();
      expect(await connections.remove(connection)).toBeUndefined();
      expect(await connections.get(connection)).toBeUndefined();
    });

    it('knows nothing of a connection of another organisation', async () => {
      await connections.create(sampleConnection('private'), sampleGrant(), null);
      expect(await connections.get(sampleConnection('private', toOrgId('globex')))).toBeUndefined();
    });
  });
}

export function connectionListContract(makeStores: () => Promise<ConnectionStores>): void {
  describe('a list of connections', () => {
    let connections: ConnectionStore;
    const org = toOrgId('list-1_x');
    const names = Array.from({ length: 7 }, (_, index) => `c${index}`);
    beforeAll(async () => {
      ({ connections } = await makeStores());
      const others = [sampleConnection('c0', toOrgId('list-1_')), sampleConnection('c9', toOrgId('list-1_xy'))];
      for (const one of [...names.map((name) => sampleConnection(name, org)), ...others]) {
        await connections.create(one, sampleGrant(), sampleTokens());
      }
    });

    it('gives the connections of one organisation page by page, by name', async () => {
      const seen: string[] = [];
      let continuation: string | null = null;
      let pages = 0;
      do {
        const page = await connections.list(org, { limit: 3, continuation });
        expect(page.items.length).toBeLessThanOrEqual(3);
        seen.push(...page.items.map(({ connection }) => connection.name));
        expect(page.items.every(({ connection }) => connection.org === org)).toBe(true);
        continuation = page.continuation;
        pages += 1;
      } while (continuation !== null);
      expect(seen).toEqual(names);
      expect(pages).toBe(3);
    });

    it('lets a listed grant be read like any other', async () => {
      const { items } = await connections.list(org, { limit: 1, continuation: null });
      expect(items[0]?.own.grant).toEqual(sampleGrant());
    });

    it.each([
      'x',
      '!!!',
      '',
      Buffer.from('{}').toString('base64url'),
      Buffer.from(Buffer.from('{"nextPartitionKey":1}').toString('base64')).toString('base64url'),
      Buffer.from(Buffer.from('[1]').toString('base64')).toString('base64url'),
      'A'.repeat(10_000),
    ])('refuses a continuation that no page gave: %s', async (continuation) => {
      await expect(connections.list(org, { limit: 3, continuation })).rejects.toMatchObject({
        code: 'validation_failed',
        details: [{ path: 'continuation', message: 'must be one that an earlier page gave' }],
      });
    });

    it("gives nobody else's connections for a continuation that points into another partition", async () => {
      const keys = JSON.stringify({ nextPartitionKey: 'list-1_', nextRowKey: 'c0' });
      const continuation = Buffer.from(Buffer.from(keys).toString('base64')).toString('base64url');
      const { items } = await connections.list(org, { limit: 50, continuation });
      expect(items.every(({ connection }) => connection.org === org)).toBe(true);
    });

    it.each(["list-1_x' or PartitionKey ne '", "' or 1 eq 1 or '", 'list-1_x"', 'GLOBAL%27', '*'])(
      'finds nothing for an organisation that cannot be: %s',
      async (odd) => {
        const { items } = await connections.list(odd as typeof org, { limit: 50, continuation: null });
        expect(items).toEqual([]);
      },
    );

    it('shows a sweep every connection of every organisation', async () => {
      const seen: string[] = [];
      for await (const { items } of connections.walkOwn(null)) {
        seen.push(...items.map(({ connection }) => `${connection.org}/${connection.name}`));
      }
      expect(seen).toEqual(expect.arrayContaining(['list-1_x/c6', 'list-1_/c0', 'list-1_xy/c9']));
      expect(seen).toHaveLength(9);
      expect(toConnectionName('c6')).toBe('c6');
    });
  });
}
