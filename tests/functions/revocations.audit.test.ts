import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { recordedBy } from './support/audit-records.ts';
import { createGranted } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const post = (path: string, body: unknown, call = {}) => broker.call('POST', `/api/oauth/${path}`, { body, ...call });
const bulk = (body: unknown, call = {}) => post('revoke', body, call);

it('leaves a record of each grant that was dropped, where it lies, and of what was asked for', async () => {
  await createGranted(broker, 'noted', {}, { org: 'NOTED' });
  await post('connections/noted/tokens', { access_token: 'at-noted', user_id: 'ann' }, { org: 'NOTED' });
  await broker.call('POST', '/api/oauth/connections', { org: 'GLOBAL', body: broker.connectionBody('noted-global') });
  await post('connections/noted-global/tokens', { access_token: 'at-ben', user_id: 'ben' }, { org: 'NOTED' });
  const headers = { 'x-correlation-id': 'revoke-call-1' };
  const ask = (filters: Record<string, unknown>, org: string) =>
    recordedBy(broker, () => bulk({ dry_run: false, ...filters }, { org, headers }));
  const by = { actor: 'api_key bootstrap', address: '127.0.0.1', correlationId: 'revoke-call-1' };
  const each = { ...by, action: 'grant.disconnect', outcome: 'success', org: 'NOTED' };

  const dry = await ask({ connection_name: 'noted', dry_run: true }, 'NOTED');
  expect(dry).toMatchObject([{ ...by, action: 'grants.revoke', detail: { dry_run: true, grants: 2 } }]);

  const filters = { connection_name: 'noted', created_by: 'bootstrap' };
  const records = await ask(filters, 'NOTED');
  expect(records.toSorted((a, b) => (`${a.action} ${a.userId}` < `${b.action} ${b.userId}` ? -1 : 1))).toMatchObject([
    { ...each, connection: 'noted', userId: '' },
    { ...each, connection: 'noted', userId: 'ann' },
    { ...by, action: 'grants.revoke', org: 'NOTED', detail: { ...filters, dry_run: false, grants: 2 } },
  ]);

  const shared = await ask({ connection_name: 'noted-global', user_id: 'ben' }, 'GLOBAL');
  expect(shared).toMatchObject([
    { ...each, connection: 'noted-global', userId: 'ben', detail: { connection_org: 'GLOBAL' } },
    { ...by, action: 'grants.revoke', org: 'GLOBAL', detail: { connection_name: 'noted-global', user_id: 'ben' } },
  ]);
});
