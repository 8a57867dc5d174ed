import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, connect, createConnection, credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted, createMinting, createRefreshing, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

describe('GET credentials, 200', () => {
  it('has exactly the fields of the contract, and metadata that holds no secret (S-12)', async () => {
    await createRefreshing(broker, 'shape', { scopes: 'read,write' });
    const issued = answerNext(broker, {
      scope: 'read',
      id_token: 'e30.e30.sig',
      instance_url: 'https://eu1.example.com',
      realm_id: '42',
      nested: { session_secret: 'hush', place: 'kept' },
    });
    const before = Date.now();
    const read = await credentialsOf(broker, 'shape');
    expect(read.json).toEqual({
      connection_name: 'shape',
      org_id: 'ORG1',
      user_id: null,
      access_token: issued.access_token,
      token_type: expect.stringMatching(/^bearer$/i),
      expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      scopes: 'read',
      method: 'refreshed',
      metadata: { instance_url: 'https://eu1.example.com', realm_id: '42', nested: { place: 'kept' } },
    });
    expect(read.headers.get('cache-control')).toBe('no-store');
    const lifeMs = Date.parse(read.json.expires_at) - before;
    expect(lifeMs).toBeGreaterThan(3_595_000);
    expect(lifeMs).toBeLessThan(3_605_000);
  });

  it('gives the saved token from then on, without a call to the provider', async () => {
    const issued = await createGranted(broker, 'saved');
    const calls = broker.server.tokens.count();
    const read = await credentialsOf(broker, 'saved');
    expect(read.json).toMatchObject({ access_token: issued.access_token, method: 'saved_token' });
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it('mints a token with the client’s own credentials, and says so', async () => {
    await createMinting(broker, 'minted');
    const first = await credentialsOf(broker, 'minted');
    expect(first).toMatchObject({ status: 200, json: { method: 'client_credentials' } });
    expect(await broker.server.isActive(first.json.access_token)).toBe(true);
    const second = await credentialsOf(broker, 'minted');
    expect(second.json).toMatchObject({ method: 'saved_token', access_token: first.json.access_token });
    expect((await detailOf(broker, 'minted')).json.status).toBe('completed');
  });

  it('gives expires_at null where the provider states no end', async () => {
    await createGranted(broker, 'endless', { expires_in: undefined });
    const read = await credentialsOf(broker, 'endless', '?min_ttl_seconds=86400');
    expect(read).toMatchObject({ status: 200, json: { expires_at: null, method: 'saved_token' } });
  });

  it('gives the scopes that were asked for where the provider says nothing of them', async () => {
    await createGranted(broker, 'unsaid', {}, {}, { scopes: 'a,b' });
    expect((await credentialsOf(broker, 'unsaid')).json.scopes).toBe('a,b');
  });

  it('shows no refresh token and no client secret in any answer', async () => {
    await createConnection(broker, 'sealed');
    await connect(broker, 'sealed');
    const name = 'sealed-refresh';
    const issued = await createGranted(broker, name);
    const answers = [
      await credentialsOf(broker, name),
      await credentialsOf(broker, 'sealed'),
      await detailOf(broker, name),
      await detailOf(broker, 'sealed'),
      await broker.call('GET', '/api/oauth/connections'),
    ].map(({ text }) => text);
    const secrets = [issued.refresh_token, `rt-first-of-${name}`, broker.server.clients.basic.clientSecret];
    for (const secret of secrets) for (const text of answers) expect(text).not.toContain(secret);
    expect(broker.lines.join('\n')).not.toContain(issued.refresh_token);
    expect(broker.lines.join('\n')).not.toContain(issued.access_token);
  });
});

describe('GET credentials, which connection', () => {
  it('prefers the organisation’s own over GLOBAL, and falls back to GLOBAL', async () => {
    const global = await createGranted(broker, 'layered', {}, { org: 'GLOBAL' });
    expect((await credentialsOf(broker, 'layered')).json).toMatchObject({
      org_id: 'GLOBAL',
      access_token: global.access_token,
    });
    const own = await createGranted(broker, 'layered');
    expect((await credentialsOf(broker, 'layered')).json).toMatchObject({
      org_id: 'ORG1',
      access_token: own.access_token,
    });
    expect((await credentialsOf(broker, 'layered', '', { org: 'ORG2' })).json.org_id).toBe('GLOBAL');
    await broker.call('DELETE', '/api/oauth/connections/layered');
    expect((await credentialsOf(broker, 'layered')).json.org_id).toBe('GLOBAL');
  });

  it('gives a GLOBAL connection to the organisations that it is shared with', async () => {
    await createGranted(broker, 'reserved', {}, { org: 'GLOBAL' }, { shared_with: ['ORG5', 'ORG6'] });
    expect((await credentialsOf(broker, 'reserved', '', { org: 'ORG5' })).status).toBe(200);
    expect((await credentialsOf(broker, 'reserved', '', { org: 'GLOBAL' })).status).toBe(200);
    expect((await credentialsOf(broker, 'reserved', '', { org: 'ORG7' })).json.error).toBe('connection_not_found');
    await broker.call('PUT', '/api/oauth/connections/reserved', { org: 'GLOBAL', body: { shared_with: ['ORG6'] } });
    expect((await credentialsOf(broker, 'reserved', '', { org: 'ORG5' })).status).toBe(404);
  });

  it('keeps connections of one name in two organisations apart (S-07)', async () => {
    const one = await createGranted(broker, 'same', {}, { org: 'ORG1' });
    const other = await createGranted(broker, 'same', {}, { org: 'ORG2' });
    const key = await broker.createKey(['ORG2'], ['reader']);
    expect((await credentialsOf(broker, 'same')).json.access_token).toBe(one.access_token);
    expect((await credentialsOf(broker, 'same', '', { key, org: null })).json.access_token).toBe(other.access_token);
    const crossed = await credentialsOf(broker, 'same', '', { key, org: 'ORG1' });
    expect(crossed).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
  });

  it('404 connection_not_found, the same for a foreign name and for none', async () => {
    await createGranted(broker, 'foreign', {}, { org: 'ORG9' });
    const foreign = await credentialsOf(broker, 'foreign');
    const missing = await credentialsOf(broker, 'missing');
    expect([foreign.status, missing.status]).toEqual([404, 404]);
    expect(foreign.json.error).toBe('connection_not_found');
    const blind = (text: string, name: string) => text.replaceAll(name, 'NAME').replace(/"correlation_id":"[^"]+"/, '');
    expect(blind(foreign.text, 'foreign')).toBe(blind(missing.text, 'missing'));
  });
});

describe('GET credentials, users', () => {
  it('gives each user their own token, beside the organisation’s', async () => {
    await createConnection(broker, 'people');
    await connect(broker, 'people', { login: 'carol' });
    await connect(broker, 'people', { body: { user_id: 'u 1/ä' }, login: 'alice' });
    await connect(broker, 'people', { body: { user_id: 'u2' }, login: 'bob' });
    const subjects: string[] = [];
    for (const query of ['', `?user_id=${encodeURIComponent('u 1/ä')}`, '?user_id=u2']) {
      const { json } = await credentialsOf(broker, 'people', query);
      const headers = { authorization: `Bearer ${json.access_token}` };
      const userinfo = await fetch(broker.server.endpoints.userinfo, { headers });
      const claims = (await userinfo.json()) as { readonly sub: string };
      subjects.push(`${json.user_id}=${claims.sub}`);
    }
    expect(subjects).toEqual(['null=carol', 'u 1/ä=alice', 'u2=bob']);
  });

  it('isolates users of one id in two organisations that share a GLOBAL connection', async () => {
    await createConnection(broker, 'shared', {}, { org: 'GLOBAL' });
    await connect(broker, 'shared', { body: { user_id: 'u' }, call: { org: 'ORG1' }, login: 'alice' });
    await connect(broker, 'shared', { body: { user_id: 'u' }, call: { org: 'ORG2' }, login: 'bob' });
    const one = await credentialsOf(broker, 'shared', '?user_id=u', { org: 'ORG1' });
    const other = await credentialsOf(broker, 'shared', '?user_id=u', { org: 'ORG2' });
    expect(one.json.access_token).not.toBe(other.json.access_token);
    await broker.call('POST', '/api/oauth/connections/shared/disconnect', { body: { user_id: 'u' }, org: 'ORG1' });
    expect((await credentialsOf(broker, 'shared', '?user_id=u', { org: 'ORG1' })).status).toBe(503);
    const still = await credentialsOf(broker, 'shared', '?user_id=u', { org: 'ORG2' });
    expect(still.json.access_token).toBe(other.json.access_token);
  });

  it('503 connection_not_ready with the way to mend it for a user who has not connected', async () => {
    await createConnection(broker, 'unconnected', {}, { org: 'GLOBAL' });
    const answer = await credentialsOf(broker, 'unconnected', '?user_id=new');
    expect(answer).toMatchObject({
      status: 503,
      json: {
        error: 'connection_not_ready',
        status: 'not_connected',
        status_reason: null,
        status_message: null,
        authorize: { method: 'POST', href: '/api/oauth/connections/unconnected/authorize' },
      },
    });
    const mended = await broker.call(answer.json.authorize.method, answer.json.authorize.href, {
      body: { user_id: 'new' },
    });
    expect(mended.status).toBe(200);
  });

  it('never falls back from a user to the organisation’s grant', async () => {
    await createConnection(broker, 'nofallback');
    await connect(broker, 'nofallback');
    expect((await credentialsOf(broker, 'nofallback', '?user_id=ann')).json.error).toBe('connection_not_ready');
  });
});

describe('GET credentials, 503 connection_not_ready', () => {
  it('for a connection that nobody has authorized, with where to do it', async () => {
    await createConnection(broker, 'fresh');
    expect((await credentialsOf(broker, 'fresh')).json).toMatchObject({
      error: 'connection_not_ready',
      status: 'not_connected',
      authorize: { method: 'POST', href: '/api/oauth/connections/fresh/authorize' },
    });
    await begin(broker, 'fresh');
    expect((await credentialsOf(broker, 'fresh')).json.status).toBe('waiting_callback');
  });

  it('with no way to mend it where the asking organisation may not: authorize is null', async () => {
    await createConnection(broker, 'theirs', {}, { org: 'GLOBAL' });
    expect((await credentialsOf(broker, 'theirs')).json.authorize).toBeNull();
    expect((await credentialsOf(broker, 'theirs', '', { org: 'GLOBAL' })).json.authorize).not.toBeNull();
  });
});

describe('GET credentials, refused', () => {
  it('403 for an administrator who is nothing else', async () => {
    await createGranted(broker, 'guarded');
    const key = await broker.createKey(['ORG1'], ['admin', 'operator', 'auditor']);
    const answer = await credentialsOf(broker, 'guarded', '', { key });
    expect(answer).toMatchObject({ status: 403, json: { error: 'role_required' } });
    expect(answer.text).not.toContain('at-');
  });

  it.each([
    ['min_ttl_seconds=-1', 'min_ttl_seconds'],
    ['min_ttl_seconds=soon', 'min_ttl_seconds'],
    ['min_ttl_seconds=1e3', 'min_ttl_seconds'],
    ['force_refresh=yes', 'force_refresh'],
    ['user_id=', 'user_id'],
    [`user_id=${'u'.repeat(257)}`, 'user_id'],
    ['org_id=ORG2', 'org_id'],
  ])('400 validation_failed for ?%s', async (query, path) => {
    const answer = await credentialsOf(broker, 'guarded', `?${query}`);
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed', details: [{ path }] } });
  });

  it.each(['no.name', 'x%20y', "x'", 'n'.repeat(101), '..%2fORG2'])('400 for the name %s', async (name) => {
    expect(await credentialsOf(broker, name)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('400 for a workflow id that is none', async () => {
    const headers = { 'x-workflow-id': 'a b' };
    const answer = await credentialsOf(broker, 'guarded', '', { headers });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('takes no identity from a header (S-01)', async () => {
    const { access_token } = tokenAnswer();
    const headers = {
      'x-user-id': 'ann',
      'x-ms-client-principal-id': 'root',
      'x-ms-client-principal-name': access_token,
    };
    const answer = await credentialsOf(broker, 'guarded', '', { headers });
    expect(answer).toMatchObject({ status: 200, json: { user_id: null } });
    expect((await credentialsOf(broker, 'guarded', '', { headers, key: null })).status).toBe(401);
  });
});
