import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { accessToken, create, rowOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let keys: Readonly<Record<'ORGA' | 'ORGB', string>>;
beforeAll(async () => {
  broker = await startTestBroker();
  const roles = ['admin', 'operator', 'reader', 'auditor'] as const;
  keys = { ORGA: await broker.createKey(['ORGA'], roles), ORGB: await broker.createKey(['ORGB'], roles) };
  await provide('GLOBAL', broker.adminKey);
});
afterAll(() => broker.stop());

async function provide(org: string, key: string): Promise<void> {
  await create(broker, 'crm', { org });
  const imported = await broker.call('POST', '/api/oauth/connections/crm/tokens', {
    org,
    key,
    body: { access_token: `at-of-${org}` },
  });
  expect(imported.status, imported.text).toBe(200);
}

const read = async (org: 'ORGA' | 'ORGB') =>
  (await broker.call('GET', '/api/oauth/credentials/crm', { org, key: keys[org] })).json.access_token;

const changing: Readonly<Record<string, unknown>> = {
  'connections-update': { description: 'mine now', shared_with: ['ORGA'] },
  'connections-delete': undefined,
  'connections-refresh': {},
  'connections-tokens': { access_token: 'at-forged' },
  'connections-disconnect': {},
  'connections-authorize': {},
  'connections-cancel': {},
  'connections-test': {},
};

describe('S-10 a GLOBAL connection', () => {
  it.each(Object.entries(changing))('cannot be changed by an organisation: %s', async (name, body) => {
    const route = routeTable.find((each) => each.name === name);
    const before = await rowOf(broker, 'crm', 'GLOBAL');
    const path = `/api${route?.path.replace('{connection_name}', 'crm')}`;
    for (const key of [keys.ORGA, broker.adminKey]) {
      const answer = await broker.call(route?.method ?? '', path, {
        org: 'ORGA',
        key,
        ...(body !== undefined && { body }),
      });
      expect(answer, answer.text).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    }
    const asGlobal = await broker.call(route?.method ?? '', path, {
      org: 'GLOBAL',
      key: keys.ORGA,
      ...(body !== undefined && { body }),
    });
    expect(asGlobal).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    expect(await rowOf(broker, 'crm', 'GLOBAL')).toEqual(before);
  });

  it('is hidden by one of the same name for that organisation alone, and is there again when that is deleted', async () => {
    expect([await read('ORGA'), await read('ORGB')]).toEqual(['at-of-GLOBAL', 'at-of-GLOBAL']);
    await provide('ORGA', keys.ORGA);
    expect([await read('ORGA'), await read('ORGB')]).toEqual(['at-of-ORGA', 'at-of-GLOBAL']);
    const seenByB = await broker.call('GET', '/api/oauth/connections', { org: 'ORGB', key: keys.ORGB });
    expect(seenByB.json.connections.map((each: { org_id: string }) => each.org_id)).toEqual(['GLOBAL']);
    const deleted = await broker.call('DELETE', '/api/oauth/connections/crm', { org: 'ORGA', key: keys.ORGA });
    expect(deleted.status, deleted.text).toBe(200);
    expect([await read('ORGA'), await read('ORGB')]).toEqual(['at-of-GLOBAL', 'at-of-GLOBAL']);
    expect(await accessToken(broker, 'crm', { org: 'GLOBAL' })).toBe('at-of-GLOBAL');
  });
});
