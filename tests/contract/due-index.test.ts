import { expect, it } from 'vitest';
import { toConnectionName, toOrgId } from '../../src/domain/ids.ts';
import { collect } from '../support/collect.ts';
import { createTablesHarness } from '../support/tables-harness.ts';
import { dueIndexContract } from './due-index.contract.ts';

dueIndexContract(async () => (await createTablesHarness()).stores.dueIndex);

it('an entry that names nobody, or that lies where it could not be removed, is reported and left out', async () => {
  const malformed: string[] = [];
  const harness = await createTablesHarness({
    onMalformedRow: ({ rowKey, problem }) => void malformed.push(`${rowKey}: ${problem}`),
  });
  const { dueIndex } = harness.stores;
  const org = toOrgId('acme');
  const sound = {
    key: { org, connectionOrg: org, connection: toConnectionName('sound'), userId: null },
    at: 1000,
    server: 'server1',
  };
  await dueIndex.insert(sound);
  const table = harness.raw('OAuthRefreshDue');
  const partitionKey = 'd00|0000000';
  const named = { org: 'acme', connection_org: 'acme', connection: 'sound', server: 'server1' };
  await table.createEntity({ partitionKey, rowKey: '0000000001000|nobody', server: 'server1' });
  await table.createEntity({ partitionKey, rowKey: '0000000001000|other', ...named });

  expect((await collect(dueIndex.due(2000))).flat()).toEqual([sound]);
  const walked = (await collect(dueIndex.walk(null))).flatMap(({ entries }) => entries);
  expect(walked).toMatchObject([sound]);
  const problem = 'the row lies in a place of another entry';
  expect(new Set(malformed)).toEqual(new Set([`0000000001000|nobody: ${problem}`, `0000000001000|other: ${problem}`]));
});
