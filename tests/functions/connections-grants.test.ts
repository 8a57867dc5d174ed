import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accessToken, connect, create, issuedTokens, signIn } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let issued: ReturnType<typeof issuedTokens>;
beforeAll(async () => {
  broker = await startTestBroker();
  issued = issuedTokens(broker);
});
afterEach(() => broker.server.tokens.reset());
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
interface Options {
  readonly org?: string | null;
  readonly key?: string | null;
}
const list = (name: string, query = '', options: Options = {}) =>
  broker.call('GET', `${path}/${name}/grants${query}`, options);
const usersOf = ({ json }: { json: { grants: { user_id: string }[] } }) =>
  json.grants.map(({ user_id }) => user_id).toSorted();
const bring = (name: string, userId: string, org = 'ORG1') =>
  broker.call('POST', `${path}/${name}/tokens`, {
    org,
    body: { user_id: userId, access_token: `of ${userId}`, expires_at: '2999-01-01T00:00:00Z' },
  });

describe('GET /oauth/connections/{connection_name}/grants: 200', () => {
  it('lists the users who have connected, each with how it stands, and no token', async () => {
    await connect(broker, 'crm');
    await signIn(broker, 'crm', { userId: 'ü 1/|%', login: 'bob' });
    const token = await accessToken(broker, 'crm', { userId: 'ü 1/|%' });
    const { status, json, text } = await list('crm');
    expect(status).toBe(200);
    expect(json).toEqual({
      grants: [
        {
          user_id: 'ü 1/|%',
          status: 'completed',
          status_reason: null,
          status_message: null,
          expires_at: expect.stringMatching(/Z$/),
          granted_scopes: expect.stringContaining('read'),
          missing_scopes: [],
          has_refresh_token: true,
          last_refresh_at: null,
          last_used_at: expect.stringMatching(/Z$/),
          pending_authorization: false,
          failure: null,
        },
      ],
      count: 1,
      continuation: null,
    });
    expect(text).not.toContain(token);
    expect(text).not.toContain(issued.at(-1)?.refresh_token);
  });

  it('gives an empty list where only the organisation itself has connected', async () => {
    await connect(broker, 'own-only');
    expect(await list('own-only')).toMatchObject({
      status: 200,
      json: { grants: [], count: 0, continuation: null },
    });
  });

  it('shows a user who is about to sign in, one whose grant died and one who was disconnected', async () => {
    await create(broker, 'moods');
    await broker.call('POST', `${path}/moods/authorize`, { body: { user_id: 'waiting' } });
    await signIn(broker, 'moods', { userId: 'dead' });
    broker.server.tokens.respondNext({ status: 400, body: { error: 'invalid_grant' } });
    await broker.call('POST', `${path}/moods/refresh`, { body: { user_id: 'dead' } });
    await signIn(broker, 'moods', { userId: 'left' });
    await broker.call('POST', `${path}/moods/disconnect`, { body: { user_id: 'left' } });
    const { grants } = (await list('moods')).json;
    const of = (userId: string) => grants.find(({ user_id }: { user_id: string }) => user_id === userId);
    expect(of('waiting')).toMatchObject({ status: 'waiting_callback', pending_authorization: true });
    expect(of('dead')).toMatchObject({
      status: 'failed',
      status_reason: 'needs_reauthorization',
      has_refresh_token: false,
    });
    expect(of('left')).toMatchObject({ status: 'not_connected', status_reason: null, has_refresh_token: false });
  });

  it('shows why a user’s refresh fails while their token is still good', async () => {
    await create(broker, 'failing');
    await signIn(broker, 'failing', { userId: 'u1' });
    broker.server.tokens.respondNext({ status: 503, body: 'down' });
    await broker.call('POST', `${path}/failing/refresh`, { body: { user_id: 'u1' } });
    expect((await list('failing')).json.grants).toMatchObject([
      { status: 'completed', failure: { code: 'provider_unavailable', attempts: 1, since: expect.any(String) } },
    ]);
  });

  it('leaves out those who connected under endpoints of before', async () => {
    await create(broker, 'moved');
    await bring('moved', 'before');
    await broker.call('PUT', `${path}/moved`, { body: { scopes: 'openid' } });
    await bring('moved', 'after');
    expect(usersOf(await list('moved'))).toEqual(['after']);
  });

  it('gives every user once, page by page', async () => {
    await create(broker, 'many');
    const users = Array.from({ length: 11 }, (_, at) => `user-${String(at).padStart(2, '0')}`);
    await Promise.all(users.map((user) => bring('many', user)));
    const seen: string[] = [];
    let continuation: string | null = null;
    do {
      const next: string = continuation === null ? '' : `&continuation=${encodeURIComponent(continuation)}`;
      const page = await list('many', `?limit=4${next}`);
      expect(page.json.count).toBe(page.json.grants.length);
      expect(page.json.count).toBeLessThanOrEqual(4);
      seen.push(...usersOf(page));
      continuation = page.json.continuation;
    } while (continuation !== null);
    expect(seen.toSorted()).toEqual(users);
  });
});

describe('GET /oauth/connections/{connection_name}/grants: organisations', () => {
  it('lists the caller’s own users of a GLOBAL connection, and nobody else’s', async () => {
    await create(broker, 'global', { org: 'GLOBAL' });
    await bring('global', 'of-org1', 'ORG1');
    await bring('global', 'of-org2', 'ORG2');
    expect(usersOf(await list('global'))).toEqual(['of-org1']);
    expect(usersOf(await list('global', '', { org: 'ORG2' }))).toEqual(['of-org2']);
    expect(usersOf(await list('global', '', { org: 'GLOBAL' }))).toEqual([]);
  });

  it('keeps users of connections of the same name apart', async () => {
    await create(broker, 'twin');
    await create(broker, 'twin', { org: 'ORG2' });
    await bring('twin', 'mine');
    await bring('twin', 'theirs', 'ORG2');
    expect(usersOf(await list('twin'))).toEqual(['mine']);
  });

  it('stays in the caller’s organisation, whatever a forged continuation names', async () => {
    await create(broker, 'forged');
    await create(broker, 'forged', { org: 'ORG2' });
    await bring('forged', 'theirs', 'ORG2');
    const service = Buffer.from(JSON.stringify({ nextPartitionKey: 'ORG2|forged', nextRowKey: '' })).toString('base64');
    const answer = await list('forged', `?continuation=${Buffer.from(service).toString('base64url')}`);
    expect(answer.text).not.toContain('theirs');
  });

  it('404 connection_not_found, for another organisation’s as well', async () => {
    await create(broker, 'hidden', { org: 'ORG2' });
    const key = await broker.createKey(['ORG1'], ['auditor']);
    for (const name of ['hidden', 'never-made']) {
      expect(await list(name, '', { key })).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    }
  });
});

describe('GET /oauth/connections/{connection_name}/grants: refused', () => {
  it.each([
    ['?limit=0', 'limit'],
    ['?limit=1000', 'limit'],
    ['?user_id=u1', 'user_id'],
    ['?continuation=garbage', 'continuation'],
  ])('400 validation_failed for %s', async (query, at) => {
    expect(await list('crm', query)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: at }] },
    });
  });

  it.each(['operator', 'auditor', 'admin'] as const)('200 for the role %s', async (role) => {
    expect((await list('crm', '', { key: await broker.createKey(['ORG1'], [role]) })).status).toBe(200);
  });

  it('403 role_required for the role reader alone', async () => {
    const refused = await list('crm', '', { key: await broker.createKey(['ORG1'], ['reader']) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
  });
});
