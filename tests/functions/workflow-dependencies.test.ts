import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { createGranted, createMinting } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const path = (workflow: string) => `/api/oauth/workflows/${workflow}/dependencies`;
const add = (workflow: string, body: unknown, call: Call = {}) =>
  broker.call('POST', path(workflow), { ...call, body });
const list = (workflow: string, call: Call = {}) => broker.call('GET', path(workflow), call);
const remove = (workflow: string, connection: string, call: Call = {}) =>
  broker.call('DELETE', `${path(workflow)}/${connection}`, call);

/** Who depends on a connection, as a deletion that is not confirmed says it. */
async function dependents(connection: string, call: Call = {}) {
  const refused = await broker.call('DELETE', `/api/oauth/connections/${connection}`, call);
  expect(refused).toMatchObject({ status: 400, json: { error: 'workflows_depend' } });
  return refused.json.dependent_workflows;
}

describe('POST dependencies', () => {
  it('201, and the dependency is listed and guards the connection', async () => {
    await createMinting(broker, 'crm');
    const added = await add('sync', { connection_name: 'crm', workflow_name: 'Nightly sync' });
    expect(added).toMatchObject({
      status: 201,
      json: { workflow_id: 'sync', workflow_name: 'Nightly sync', connection_name: 'crm' },
    });
    expect((await list('sync')).json).toEqual({ workflow_id: 'sync', connections: ['crm'] });
    expect(await dependents('crm')).toEqual([
      { workflow_id: 'sync', workflow_name: 'Nightly sync', org_id: 'ORG1', last_accessed_at: null },
    ]);
  });

  it('201 when it is there already: once in the list, and its name stays', async () => {
    await createMinting(broker, 'again');
    await add('again', { connection_name: 'again', workflow_name: 'First' });
    expect((await add('again', { connection_name: 'again' })).json.workflow_name).toBe('First');
    expect((await list('again')).json.connections).toEqual(['again']);
  });

  it('takes a GLOBAL connection, whose owner then sees the workflow’s organisation', async () => {
    await createMinting(broker, 'global', {}, { org: 'GLOBAL' });
    expect((await add('theirs', { connection_name: 'global' }, { org: 'ORG2' })).status).toBe(201);
    expect(await dependents('global', { org: 'GLOBAL' })).toMatchObject([{ workflow_id: 'theirs', org_id: 'ORG2' }]);
  });

  it('404 for a connection of another organisation', async () => {
    await createMinting(broker, 'hidden', {}, { org: 'ORG9' });
    for (const connection_name of ['hidden', 'absent']) {
      expect(await add('sync', { connection_name })).toMatchObject({
        status: 404,
        json: { error: 'connection_not_found' },
      });
    }
  });

  it.each([
    ['no connection', 'w', {}, 'connection_name'],
    ['a name that is none', 'w', { connection_name: 'a b' }, 'connection_name'],
    ['an unknown field', 'w', { connection_name: 'crm', org_id: 'ORG2' }, 'org_id'],
    ['a workflow id that is none', 'w%20x', { connection_name: 'crm' }, 'workflow_id'],
    ['a workflow id of 129 characters', 'w'.repeat(129), { connection_name: 'crm' }, 'workflow_id'],
  ])('400 for %s', async (_what, workflow, body, field) => {
    expect(await add(workflow, body)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: field }] },
    });
  });

  it('takes every character that a workflow id may have', async () => {
    await createMinting(broker, 'characters');
    expect((await add('A.z_9:~-', { connection_name: 'characters' })).status).toBe(201);
    expect((await list('A.z_9:~-')).json).toEqual({ workflow_id: 'A.z_9:~-', connections: ['characters'] });
  });
});

describe('GET dependencies', () => {
  it('200 with nothing for a workflow that nobody knows', async () => {
    expect(await list('nobody')).toMatchObject({ status: 200, json: { workflow_id: 'nobody', connections: [] } });
  });

  it('shows the organisation’s own only, and no other workflow’s', async () => {
    await createMinting(broker, 'own');
    await createMinting(broker, 'own', {}, { org: 'ORG2' });
    await add('wf', { connection_name: 'own' });
    await add('wf2', { connection_name: 'own' });
    expect((await list('wf', { org: 'ORG2' })).json.connections).toEqual([]);
    expect((await list('wf')).json.connections).toEqual(['own']);
  });

  it('400 for a workflow id that is none', async () => {
    expect(await list("w'x")).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });
});

describe('DELETE dependencies', () => {
  it('204, and the connection is free', async () => {
    await createMinting(broker, 'freed');
    await add('freed', { connection_name: 'freed' });
    const gone = await remove('freed', 'freed');
    expect([gone.status, gone.text]).toEqual([204, '']);
    expect((await list('freed')).json.connections).toEqual([]);
    expect((await broker.call('DELETE', '/api/oauth/connections/freed')).status).toBe(200);
  });

  it('404 dependency_not_found for one that is not there, or is another organisation’s', async () => {
    await createMinting(broker, 'kept');
    await add('kept', { connection_name: 'kept' });
    for (const [workflow, connection, org] of [
      ['kept', 'absent', 'ORG1'],
      ['absent', 'kept', 'ORG1'],
      ['kept', 'kept', 'ORG2'],
    ] as const) {
      expect(await remove(workflow, connection, { org })).toMatchObject({
        status: 404,
        json: { error: 'dependency_not_found' },
      });
    }
    expect((await list('kept')).json.connections).toEqual(['kept']);
  });

  it('400 for ids that are none', async () => {
    expect((await remove('w%20x', 'kept')).status).toBe(400);
    expect((await remove('kept', 'a.b')).status).toBe(400);
  });
});

describe('X-Workflow-Id of a credentials call', () => {
  const read = (connection: string, workflow: string, call: Call = {}) =>
    credentialsOf(broker, connection, '', { ...call, headers: { 'x-workflow-id': workflow } });

  it('records the dependency and when it was used, every 15 minutes at most', async () => {
    await createGranted(broker, 'used');
    await read('used', 'reader');
    expect((await list('reader')).json.connections).toEqual(['used']);
    const [first] = await dependents('used');
    expect(first).toMatchObject({ workflow_id: 'reader', workflow_name: null, org_id: 'ORG1' });
    expect(Math.abs(Date.parse(first.last_accessed_at) - broker.clock.now())).toBeLessThan(10_000);
    broker.clock.advance(14 * 60_000);
    await read('used', 'reader');
    expect((await dependents('used'))[0].last_accessed_at).toBe(first.last_accessed_at);
    broker.clock.advance(61_000);
    await read('used', 'reader');
    const renewed = (await dependents('used'))[0].last_accessed_at;
    expect(Date.parse(renewed) - Date.parse(first.last_accessed_at)).toBeGreaterThan(15 * 60_000);
  });

  it('keeps the name that was declared', async () => {
    await createGranted(broker, 'named');
    await add('named', { connection_name: 'named', workflow_name: 'Named' });
    await read('named', 'named');
    expect(await dependents('named')).toMatchObject([{ workflow_name: 'Named', last_accessed_at: expect.any(String) }]);
  });

  it('records it with the connection that was really used', async () => {
    await createGranted(broker, 'moved', {}, { org: 'GLOBAL' });
    await read('moved', 'mover');
    expect(await dependents('moved', { org: 'GLOBAL' })).toMatchObject([{ workflow_id: 'mover', org_id: 'ORG1' }]);
    await createGranted(broker, 'moved');
    await read('moved', 'mover');
    expect(await dependents('moved')).toMatchObject([{ workflow_id: 'mover' }]);
    expect((await broker.call('DELETE', '/api/oauth/connections/moved', { org: 'GLOBAL' })).status).toBe(200);
  });

  it('records it again after somebody has removed it', async () => {
    await createGranted(broker, 'returning');
    await read('returning', 'returner');
    await remove('returner', 'returning');
    await read('returning', 'returner');
    expect((await list('returner')).json.connections).toEqual(['returning']);
  });
});
