import { sweepAt } from '../../domain/due.ts';
import { type Grant, type GrantKey, serverOf } from '../../domain/grant.ts';
import type { ConnectionStore } from '../../ports/connection-store.ts';
import type { GrantStore } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';

type Needs = Pick<Dependencies, 'connections' | 'grants' | 'dueIndex' | 'logger'>;

/**
 * The stores, with the due index kept in step: after each write of a grant the new entry goes in, and then the old one
 * out. The row is written by then and is the truth, so an index that does not answer fails nobody: an entry too many is
 * a hint that leads nowhere, a missing one is found by the reconcile.
 */
export function createIndexedStores(needs: Needs): {
  readonly connections: ConnectionStore;
  readonly grants: GrantStore;
} {
  const { connections, grants, dueIndex, logger } = needs;

  async function move(key: GrantKey, before: Grant | undefined, after: Grant | undefined): Promise<void> {
    const from = before === undefined ? null : sweepAt(before);
    const to = after === undefined ? null : sweepAt(after);
    if (from === to) return;
    try {
      if (to !== null && after !== undefined) await dueIndex.insert({ key, at: to, server: serverOf(after) });
      if (from !== null) await dueIndex.remove({ key, at: from });
    } catch (cause) {
      logger.warn('due_index_behind', { org: key.org, connection: key.connection, cause });
    }
  }

  return {
    connections: {
      ...connections,
      async create(connection, grant, tokens) {
        await connections.create(connection, grant, tokens);
        const { org, name } = connection;
        await move({ connectionOrg: org, org, connection: name, userId: null }, undefined, grant);
      },
      async update(key, updater) {
        let before: Grant | undefined;
        const after = await connections.update(key, (current) => {
          before = current.own.grant;
          return updater(current);
        });
        if (after !== undefined) await move(after.own.key, before, after.own.grant);
        return after;
      },
      async remove(key, isWanted) {
        const removed = await connections.remove(key, isWanted);
        if (removed !== undefined) await move(removed.own.key, removed.own.grant, undefined);
        return removed;
      },
    },
    grants: {
      ...grants,
      async commit(claim, change) {
        const result = await grants.commit(claim, change);
        const { key, grant } = claim.stored;
        if (result.kind === 'committed') await move(key, grant, result.stored.grant);
        return result;
      },
      async update(key, updater) {
        let before: Grant | undefined;
        const after = await grants.update(key, (current) => {
          before = current?.grant;
          return updater(current);
        });
        await move(key, before, after?.grant);
        return after;
      },
      async removeUser(key, isWanted) {
        const removed = await grants.removeUser(key, isWanted);
        await move(key, removed?.grant, undefined);
        return removed;
      },
    },
  };
}
