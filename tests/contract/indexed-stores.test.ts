import { beforeEach, describe, expect, it } from 'vitest';
import { createReconcileHarness, type ReconcileHarness } from '../support/reconcile-harness.ts';
import { sampleConnection, sampleTokens, userKey } from '../support/tables-samples.ts';

let harness: ReconcileHarness;
beforeEach(async () => {
  harness = await createReconcileHarness();
});

describe('the stores that keep the index in step', () => {
  const connection = sampleConnection('crm');
  const user = userKey(connection, 'ann');

  it('delete what is wanted to be deleted, with its entry, and nothing else', async () => {
    const { stores, due, entries } = harness;
    const { connections, grants } = harness.indexed();
    await connections.create(connection, due(3), sampleTokens());
    await grants.update(user, () => ({ grant: due(4), tokens: sampleTokens() }));
    expect(await connections.remove(connection, () => false)).toBeUndefined();
    expect(await grants.removeUser(user, () => false)).toBeUndefined();
    expect(await stores.connections.get(connection)).toBeDefined();
    expect(await stores.grants.read(user)).toBeDefined();
    expect(await entries()).toHaveLength(2);
    expect(await connections.remove(connection, () => true)).toBeDefined();
    expect(await grants.removeUser(user)).toMatchObject({ key: user });
    expect(await grants.removeUser(user)).toBeUndefined();
    expect(await entries()).toEqual([]);
  });
});
