import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, connect, createConnection, credentialsOf, detailOf, land, signIn } from './support/authorizing.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const cancel = (name: string, body: unknown = {}, call: Call = {}) =>
  broker.call('POST', `/api/oauth/connections/${name}/cancel`, { ...call, body });

describe('POST cancel', () => {
  it('200: the status goes back to what it was, and the callback is refused', async () => {
    await createConnection(broker, 'simple');
    const started = await begin(broker, 'simple');
    const redirect = await signIn(started);
    expect(await cancel('simple')).toMatchObject({
      status: 200,
      json: { status: 'not_connected', status_reason: null },
    });
    expect((await detailOf(broker, 'simple')).json).toMatchObject({
      status: 'not_connected',
      pending_authorization: false,
    });
    const calls = broker.server.tokens.count();
    expect((await land(redirect)).status).toBe(400);
    expect((await land(started.connect_url)).status).toBe(404);
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it('goes back to failed with its reason after a failure', async () => {
    await createConnection(broker, 'failed');
    await land(await signIn(await begin(broker, 'failed'), { deny: true }));
    await begin(broker, 'failed');
    expect((await detailOf(broker, 'failed')).json.status).toBe('waiting_callback');
    expect((await cancel('failed')).json).toMatchObject({ status: 'failed', status_reason: 'access_denied' });
  });

  it('keeps a completed connection and its token', async () => {
    await createConnection(broker, 'done');
    await connect(broker, 'done');
    const { access_token } = (await credentialsOf(broker, 'done')).json;
    await begin(broker, 'done');
    expect((await cancel('done')).json.status).toBe('completed');
    expect((await detailOf(broker, 'done')).json.pending_authorization).toBe(false);
    expect((await credentialsOf(broker, 'done')).json.access_token).toBe(access_token);
  });

  it('200 when nothing is pending, also for a user who was never seen', async () => {
    await createConnection(broker, 'idle');
    expect(await cancel('idle')).toMatchObject({ status: 200, json: { status: 'not_connected' } });
    expect(await cancel('idle', { user_id: 'nobody' })).toMatchObject({
      status: 200,
      json: { status: 'not_connected', status_reason: null, status_message: null },
    });
  });

  it('forgets a user’s authorization only, or the organisation’s only', async () => {
    await createConnection(broker, 'both');
    const own = await signIn(await begin(broker, 'both'));
    const users = await signIn(await begin(broker, 'both', { user_id: 'ann' }));
    await cancel('both', { user_id: 'ann' });
    expect((await land(users)).status).toBe(400);
    expect((await land(own)).status).toBe(200);
  });

  it('lets the next authorization through', async () => {
    await createConnection(broker, 'resumed');
    await begin(broker, 'resumed');
    await cancel('resumed');
    await connect(broker, 'resumed');
  });

  it('400 for an unknown field', async () => {
    await createConnection(broker, 'strict');
    const answer = await cancel('strict', { users: 'ann' });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed', details: [{ path: 'users' }] } });
  });

  it('404 for another organisation’s connection: this hides existence', async () => {
    await createConnection(broker, 'hidden');
    await begin(broker, 'hidden');
    expect(await cancel('hidden', {}, { org: 'ORG2' })).toMatchObject({
      status: 404,
      json: { error: 'connection_not_found' },
    });
    expect((await detailOf(broker, 'hidden')).json.status).toBe('waiting_callback');
  });

  it('403 for the own grant of a GLOBAL connection from another organisation', async () => {
    await createConnection(broker, 'global', {}, { org: 'GLOBAL' });
    await begin(broker, 'global', {}, { org: 'GLOBAL' });
    expect(await cancel('global', {}, { org: 'ORG2' })).toMatchObject({
      status: 403,
      json: { error: 'organization_forbidden' },
    });
    expect((await detailOf(broker, 'global', { org: 'GLOBAL' })).json.pending_authorization).toBe(true);
  });

  it('200 for a user’s own authorization through a GLOBAL connection', async () => {
    await createConnection(broker, 'global-user', {}, { org: 'GLOBAL' });
    await begin(broker, 'global-user', { user_id: 'ann' }, { org: 'ORG2' });
    expect((await cancel('global-user', { user_id: 'ann' }, { org: 'ORG2' })).json.status).toBe('not_connected');
  });
});
