import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, connect, createConnection, credentialsOf, detailOf, land, signIn } from './support/authorizing.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

/** A connected connection with another authorization under way. */
async function reauthorize(name: string, body: unknown = {}, login = 'alice') {
  await createConnection(broker, name);
  await connect(broker, name);
  const old = (await credentialsOf(broker, name)).json.access_token;
  const started = await begin(broker, name, body);
  return { old, started, redirect: await signIn(started, { login }) };
}

/** Counts the grants that the provider is told to revoke from now on. */
function revocations(): () => number {
  let count = 0;
  broker.server.provider.on('grant.revoked', () => {
    count += 1;
  });
  return () => count;
}

async function expectOldGrant(name: string, old: string) {
  expect(await credentialsOf(broker, name)).toMatchObject({ status: 200, json: { access_token: old } });
  expect(await broker.server.isActive(old)).toBe(true);
  expect((await detailOf(broker, name)).json).toMatchObject({ status: 'completed', pending_authorization: false });
}

describe('a re-authorization', () => {
  it('replaces the grant once the new tokens are there', async () => {
    const { old, redirect } = await reauthorize('renewed');
    expect((await credentialsOf(broker, 'renewed')).json.access_token).toBe(old);
    expect((await land(redirect)).status).toBe(200);
    const now = await credentialsOf(broker, 'renewed');
    expect(now.status).toBe(200);
    expect(now.json.access_token).not.toBe(old);
  });

  it('keeps the old grant when the person refuses', async () => {
    const { old, started } = await reauthorize('refused');
    const page = await land(await signIn(started, { deny: true }));
    expect(page.status).toBe(400);
    expect(page.html).toContain('access_denied');
    await expectOldGrant('refused', old);
  });

  it.each([
    ['invalid_grant', 400],
    ['invalid_client', 401],
    ['server_error', 500],
  ])('keeps the old grant when the exchange fails with %s (S-31)', async (error, status) => {
    const name = `kept-${error.replace('_', '-')}`;
    const { old, redirect } = await reauthorize(name);
    broker.server.tokens.respondNext({ status, body: { error, error_description: '<b>no</b>' } });
    const page = await land(redirect);
    expect(page.status).toBe(400);
    expect(page.html).not.toContain('<b>no');
    await expectOldGrant(name, old);
  });

  it('keeps the old grant when the provider hangs up', async () => {
    const { old, redirect } = await reauthorize('hung-up');
    broker.server.tokens.dropNext();
    expect((await land(redirect)).status).toBe(400);
    await expectOldGrant('hung-up', old);
  });
});

describe('another account (S-28)', () => {
  it('is refused, its tokens are revoked, and the old grant stays', async () => {
    const { old, redirect } = await reauthorize('swapped', {}, 'bob');
    const revoked = revocations();
    const page = await land(redirect);
    expect(page.status).toBe(400);
    expect(page.html).toContain('account_changed');
    expect(revoked()).toBe(1);
    await expectOldGrant('swapped', old);
  });

  it('is taken with allow_account_change', async () => {
    const { old, redirect } = await reauthorize('moved', { allow_account_change: true }, 'bob');
    expect((await land(redirect)).status).toBe(200);
    const { json } = await credentialsOf(broker, 'moved');
    expect(json.access_token).not.toBe(old);
    const headers = { authorization: `Bearer ${json.access_token}` };
    const userinfo = await fetch(broker.server.endpoints.userinfo, { headers });
    expect(await userinfo.json()).toMatchObject({ sub: 'bob' });
  });

  it('is known by userinfo where no issuer is given', async () => {
    await createConnection(broker, 'by-userinfo', { issuer: null });
    await connect(broker, 'by-userinfo');
    const page = await land(await signIn(await begin(broker, 'by-userinfo'), { login: 'bob' }));
    expect(page.html).toContain('account_changed');
  });

  it('is no matter between users: each has an account of their own', async () => {
    await createConnection(broker, 'people');
    await connect(broker, 'people', { body: { user_id: 'u1' }, login: 'alice' });
    await connect(broker, 'people', { body: { user_id: 'u2' }, login: 'bob' });
    await connect(broker, 'people', { login: 'carol' });
  });

  it('is still noticed after the grant has died', async () => {
    await createConnection(broker, 'died');
    await connect(broker, 'died');
    broker.server.tokens.respondNext({ status: 400, body: { error: 'invalid_grant' } });
    await broker.call('POST', '/api/oauth/connections/died/refresh', { body: {} });
    expect((await detailOf(broker, 'died')).json.status_reason).toBe('needs_reauthorization');
    const page = await land(await signIn(await begin(broker, 'died'), { login: 'bob' }));
    expect(page.html).toContain('account_changed');
    await connect(broker, 'died', { login: 'alice' });
  });
});

describe('a callback that comes after a change', () => {
  it.each([
    ['token_url', () => ({ token_url: `${broker.server.issuer}/token?moved`, client_secret: 'x' })],
    ['scopes', () => ({ scopes: 'openid' })],
    ['client_id', () => ({ client_id: 'app-other' })],
  ])('of %s is refused: no code goes to the new endpoints (S-17)', async (field, change) => {
    const name = `changed-${field.replace('_', '-')}`;
    await createConnection(broker, name);
    const redirect = await signIn(await begin(broker, name));
    const updated = await broker.call('PUT', `/api/oauth/connections/${name}`, { body: change() });
    expect(updated.status, updated.text).toBe(200);
    const calls = broker.server.tokens.count();
    expect((await land(redirect)).status).toBe(400);
    expect(broker.server.tokens.count()).toBe(calls);
    expect((await detailOf(broker, name)).json.status).toBe('not_connected');
  });

  it('of the endpoints is refused for a user too, whose row the change did not touch (S-17)', async () => {
    await createConnection(broker, 'changed-user');
    const redirect = await signIn(await begin(broker, 'changed-user', { user_id: 'ann' }));
    await broker.call('PUT', '/api/oauth/connections/changed-user', { body: { scopes: 'openid' } });
    const calls = broker.server.tokens.count();
    expect((await land(redirect)).status).toBe(400);
    expect(broker.server.tokens.count()).toBe(calls);
    expect((await credentialsOf(broker, 'changed-user', '?user_id=ann')).json.error).toBe('connection_not_ready');
  });

  it('of a label finishes', async () => {
    await createConnection(broker, 'labelled');
    const redirect = await signIn(await begin(broker, 'labelled'));
    await broker.call('PUT', '/api/oauth/connections/labelled', { body: { description: 'new', tags: ['a'] } });
    expect((await land(redirect)).status).toBe(200);
  });

  it('by cancelling is refused', async () => {
    await createConnection(broker, 'cancelled');
    const redirect = await signIn(await begin(broker, 'cancelled'));
    await broker.call('POST', '/api/oauth/connections/cancelled/cancel', { body: {} });
    const calls = broker.server.tokens.count();
    expect((await land(redirect)).status).toBe(400);
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it.each(['cancel', 'disconnect'])(
    'by %s while the code is being redeemed keeps nothing and revokes',
    async (verb) => {
      await createConnection(broker, `raced-${verb}`);
      const redirect = await signIn(await begin(broker, `raced-${verb}`));
      const held = broker.server.tokens.holdNext({ at: 'answer' });
      const landing = land(redirect);
      await held.waiting();
      const stopped = await broker.call('POST', `/api/oauth/connections/raced-${verb}/${verb}`, { body: {} });
      expect(stopped.status).toBe(200);
      held.release();
      expect((await landing).status).toBe(400);
      expect((await detailOf(broker, `raced-${verb}`)).json).toMatchObject({
        status: 'not_connected',
        has_refresh_token: false,
      });
    },
  );
});

describe('a callback that is interrupted', () => {
  it('reads as testing, then as failed with callback_interrupted after two minutes', async () => {
    await createConnection(broker, 'crashed');
    const redirect = await signIn(await begin(broker, 'crashed'));
    const held = broker.server.tokens.holdNext();
    const landing = land(redirect);
    await held.waiting();
    expect((await detailOf(broker, 'crashed')).json).toMatchObject({ status: 'testing', pending_authorization: true });
    broker.clock.advance(120_001);
    expect((await detailOf(broker, 'crashed')).json).toMatchObject({
      status: 'failed',
      status_reason: 'callback_interrupted',
      pending_authorization: false,
    });
    expect((await credentialsOf(broker, 'crashed')).json).toMatchObject({
      error: 'connection_not_ready',
      status: 'failed',
      status_reason: 'callback_interrupted',
    });
    held.release();
    await landing;
  });

  it('leaves a completed connection completed', async () => {
    const { old, redirect } = await reauthorize('crashed-again');
    const held = broker.server.tokens.holdNext();
    const landing = land(redirect);
    await held.waiting();
    broker.clock.advance(120_001);
    await expectOldGrant('crashed-again', old);
    held.release();
    await landing;
  });
});
