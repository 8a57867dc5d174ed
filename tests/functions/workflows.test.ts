import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { createGranted, createMinting } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const isoTime = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
const disable = (id: string, body: unknown = {}, call: Call = {}) =>
  broker.call('POST', `/api/oauth/workflows/${id}/disable`, { ...call, body });
const enable = (id: string, body: unknown = {}, call: Call = {}) =>
  broker.call('POST', `/api/oauth/workflows/${id}/enable`, { ...call, body });
const disabled = (call: Call = {}) => broker.call('GET', '/api/oauth/workflows/disabled', call);
const read = (connection: string, workflow: string, call: Call = {}) =>
  credentialsOf(broker, connection, '', { ...call, headers: { 'x-workflow-id': workflow } });

describe('POST disable', () => {
  it('200, and the workflow gets 403 workflow_disabled while others and calls without its name go on', async () => {
    await createGranted(broker, 'crm');
    expect(await disable('off', { reason: 'it floods the provider' })).toMatchObject({
      status: 200,
      json: { message: expect.stringContaining('off'), workflow_id: 'off', disabled_at: isoTime },
    });
    const refused = await read('crm', 'off');
    expect(refused).toMatchObject({ status: 403, json: { error: 'workflow_disabled' } });
    expect(refused.json.message).toContain('it floods the provider');
    expect(refused.text).not.toContain('access_token');
    expect((await read('crm', 'on')).status).toBe(200);
    expect((await credentialsOf(broker, 'crm')).status).toBe(200);
  });

  it('does not reach into another organisation', async () => {
    await createGranted(broker, 'theirs', {}, { org: 'ORG2' });
    await disable('shared-id');
    expect((await read('theirs', 'shared-id', { org: 'ORG2' })).status).toBe(200);
  });

  it('does not tell a workflow that is off which connections there are', async () => {
    await disable('asker');
    expect((await read('absent', 'asker')).status).toBe(404);
  });

  it.each([
    ['an unknown field', 'w', { until: 'x' }, 'until'],
    ['an empty reason', 'w', { reason: '' }, 'reason'],
    ['a workflow id that is none', 'a%20b', {}, 'workflow_id'],
  ])('400 for %s', async (_what, id, body, path) => {
    expect(await disable(id, body)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path }] },
    });
  });
});

describe('POST enable', () => {
  it('200, and the workflow gets its credentials back', async () => {
    await createGranted(broker, 'back');
    await disable('back');
    expect((await read('back', 'back')).status).toBe(403);
    expect(await enable('back')).toMatchObject({
      status: 200,
      json: { message: expect.stringContaining('back'), workflow_id: 'back', enabled_at: isoTime },
    });
    expect((await read('back', 'back')).status).toBe(200);
  });

  it('200 for one that was never disabled', async () => {
    expect((await enable('never')).status).toBe(200);
  });

  it('does not reach into another organisation', async () => {
    await createGranted(broker, 'stay');
    await disable('stay');
    expect((await enable('stay', {}, { org: 'ORG2' })).status).toBe(200);
    expect((await read('stay', 'stay')).status).toBe(403);
  });

  it('400 for an unknown field and for a workflow id that is none', async () => {
    expect((await enable('w', { force: true })).json.details).toMatchObject([{ path: 'force' }]);
    expect((await enable('a%20b')).json.details).toMatchObject([{ path: 'workflow_id' }]);
  });
});

describe('GET disabled', () => {
  it('lists the organisation’s own, with who, when and why', async () => {
    const key = await broker.createKey(['ORG7'], ['operator']);
    const me = await broker.call('GET', '/api/oauth/me', { key });
    await disable('listed', { reason: 'because' }, { key, org: null });
    await disable('foreign', {}, { org: 'ORG8' });
    expect((await disabled({ org: 'ORG7' })).json).toEqual({
      workflows: [
        {
          workflow_id: 'listed',
          org_id: 'ORG7',
          disabled_reason: 'because',
          disabled_at: isoTime,
          disabled_by: me.json.id,
          related_oauth_connection: null,
        },
      ],
    });
    await enable('listed', {}, { org: 'ORG7' });
    expect((await disabled({ org: 'ORG7' })).json).toEqual({ workflows: [] });
  });

  it('names the connection whose deletion disabled a workflow', async () => {
    await createMinting(broker, 'doomed', {}, { org: 'ORG6' });
    const call = { org: 'ORG6', body: { connection_name: 'doomed' } };
    await broker.call('POST', '/api/oauth/workflows/victim/dependencies', call);
    const path = '/api/oauth/connections/doomed?confirm_disable_workflows=true';
    expect((await broker.call('DELETE', path, { org: 'ORG6' })).json.disabled_workflows).toEqual(['victim']);
    expect((await disabled({ org: 'ORG6' })).json.workflows).toMatchObject([
      { workflow_id: 'victim', related_oauth_connection: 'doomed', disabled_reason: expect.stringContaining('doomed') },
    ]);
  });

  it('is the list, although "disabled" could be the id of a workflow', async () => {
    expect((await disable('disabled')).status).toBe(200);
    expect((await disabled()).json.workflows.map((w: { workflow_id: string }) => w.workflow_id)).toContain('disabled');
  });
});
