import { expect, it } from 'vitest';
import { emptyGrant, type Grant, type GrantKey } from '../../../../src/domain/grant.ts';
import { toConnectionName, toOrgId } from '../../../../src/domain/ids.ts';
import type { ConnectionStore } from '../../../../src/ports/connection-store.ts';
import type { DueIndex } from '../../../../src/ports/due-index.ts';
import type { Claim, GrantStore, StoredGrant } from '../../../../src/ports/grant-store.ts';
import type { Logger } from '../../../../src/ports/logger.ts';
import { createIndexedStores } from '../../../../src/usecases/refresh/indexed-stores.ts';

const org = toOrgId('acme');
const key: GrantKey = { connectionOrg: org, org, connection: toConnectionName('crm'), userId: null };
const grantDue = (dueAt: number): Grant => ({ ...emptyGrant('generation', 'server.id'), dueAt });
const stored = (grant: Grant): StoredGrant => ({ key, grant, row: {} as StoredGrant['row'] });

it('a commit is written first, then its new entry, and the old entry goes last: a crash in between loses no grant', async () => {
  const steps: string[] = [];
  const note = async (step: string) => {
    steps.push(`${step} begins`);
    await Promise.resolve();
    steps.push(`${step} ends`);
  };
  const { grants } = createIndexedStores({
    connections: {} as ConnectionStore,
    grants: {
      commit: async (_claim, { grant }) => {
        await note('commit');
        return { kind: 'committed', stored: stored(grant) };
      },
    } as GrantStore,
    dueIndex: {
      insert: async ({ at }) => {
        await note(`insert ${at}`);
        return true;
      },
      remove: async ({ at }) => note(`remove ${at}`),
    } as DueIndex,
    logger: {} as Logger,
  });
  const claim: Claim = { stored: stored(grantDue(1)), endsAt: 0, isTakeover: false, interruptedMs: 0 };

  await grants.commit(claim, { grant: grantDue(2) });

  const inOrder = ['commit', 'insert 2', 'remove 1'].flatMap((step) => [`${step} begins`, `${step} ends`]);
  expect(steps).toEqual(inOrder);
});
