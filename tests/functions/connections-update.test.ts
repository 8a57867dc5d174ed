import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { create, detail, everythingKept, rowOf, serviceBody } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterEach(() => broker.vault.faults.clear());
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
interface Options {
  readonly org?: string | null;
  readonly key?: string | null;
  readonly headers?: Record<string, string>;
}
const put = (name: string, body: unknown, options: Options = {}) =>
  broker.call('PUT', `${path}/${name}`, { body, ...options });
const etagOf = async (name: string) => (await broker.call('GET', `${path}/${name}`)).headers.get('etag') ?? 'no etag';

describe('PUT /oauth/connections/{connection_name}: 200', () => {
  it('changes the fields that are named, leaves the others, and shows the whole', async () => {
    await create(broker, 'partial', { changes: { description: 'old', tags: ['a'], scope_separator: 'comma' } });
    const before = await detail(broker, 'partial');
    broker.clock.advance(1000);
    const { status, json } = await put('partial', { description: 'new', tags: ['b', 'c'] });
    expect(status).toBe(200);
    expect(json).toEqual({ ...before, description: 'new', tags: ['b', 'c'], updated_at: json.updated_at });
    expect(Date.parse(json.updated_at)).toBeGreaterThan(Date.parse(before.updated_at));
    expect(await detail(broker, 'partial')).toEqual(json);
  });

  it('clears what is null, back to its default', async () => {
    await create(broker, 'cleared', {
      changes: {
        description: 'old',
        tags: ['a'],
        scope_separator: 'comma',
        client_auth: 'client_secret_post',
        extra_authorize_params: { a: 'b' },
        extra_token_params: { c: 'd' },
        test_url: broker.server.endpoints.userinfo,
      },
    });
    const cleared = await put('cleared', {
      description: null,
      tags: null,
      scopes: null,
      scope_separator: null,
      client_auth: null,
      issuer: null,
      revocation_url: null,
      userinfo_url: null,
      test_url: null,
      extra_authorize_params: null,
      extra_token_params: null,
      shared_with: null,
    });
    expect(cleared).toMatchObject({
      status: 200,
      json: {
        description: null,
        tags: [],
        scopes: null,
        scope_separator: 'space',
        client_auth: 'client_secret_basic',
        issuer: null,
        revocation_url: null,
        userinfo_url: null,
        test_url: null,
        extra_authorize_params: {},
        extra_token_params: {},
        shared_with: [],
      },
    });
    expect(await detail(broker, 'cleared')).toEqual(cleared.json);
  });

  it('replaces a set of parameters, a list and no more: nothing is merged', async () => {
    await create(broker, 'replaced', { changes: { extra_token_params: { a: '1', b: '2' } } });
    expect((await put('replaced', { extra_token_params: { b: '3' } })).json.extra_token_params).toEqual({ b: '3' });
  });

  it('changes nothing for an empty change, and says so', async () => {
    await create(broker, 'unchanged');
    const before = await detail(broker, 'unchanged');
    const { status, json } = await put('unchanged', {});
    expect(status).toBe(200);
    expect({ ...json, updated_at: null }).toEqual({ ...before, updated_at: null });
  });

  it('changes with whom a GLOBAL connection is shared, at once', async () => {
    const org = 'GLOBAL';
    await broker.call('POST', path, { org, body: serviceBody(broker, 'global-shared') });
    expect((await broker.call('GET', `${path}/global-shared`)).status).toBe(200);
    expect((await put('global-shared', { shared_with: ['ORG2'] }, { org })).json.shared_with).toEqual(['ORG2']);
    expect((await broker.call('GET', `${path}/global-shared`)).status).toBe(404);
    expect((await put('global-shared', { shared_with: null }, { org })).json.shared_with).toEqual(['*']);
  });
});

describe('PUT /oauth/connections/{connection_name}: If-Match', () => {
  it('200 when it is the ETag that was read, which is another one afterwards', async () => {
    await create(broker, 'matched');
    const etag = await etagOf('matched');
    const changed = await put('matched', { description: 'first' }, { headers: { 'if-match': etag } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
    expect(changed.headers.get('etag')).toBe(await etagOf('matched'));
  });

  it.each(['"0123456789abcdef0123456789abcdef"', 'W/"x"', '""', 'nonsense', '"x", "y"'])(
    '412 connection_changed for %s, with nothing written',
    async (etag) => {
      await create(broker, `other-${etag.replaceAll(/\W/g, '')}-${etag.length}`);
      const name = `other-${etag.replaceAll(/\W/g, '')}-${etag.length}`;
      const before = await everythingKept(broker);
      const change = { description: 'lost', client_secret: 'new-secret', scopes: 'write' };
      const refused = await put(name, change, { headers: { 'if-match': etag } });
      expect(refused).toMatchObject({ status: 412, json: { error: 'connection_changed' } });
      expect(await everythingKept(broker)).toEqual(before);
    },
  );

  it('412 for the ETag of before somebody else’s change, which stays', async () => {
    await create(broker, 'raced');
    const etag = await etagOf('raced');
    await put('raced', { description: 'theirs' });
    const refused = await put('raced', { description: 'mine' }, { headers: { 'if-match': etag } });
    expect(refused.status).toBe(412);
    expect((await detail(broker, 'raced')).description).toBe('theirs');
  });

  it('lets one of many with the same ETag win', async () => {
    await create(broker, 'crowd');
    const headers = { 'if-match': await etagOf('crowd') };
    const all = await Promise.all(
      Array.from({ length: 6 }, (_, at) => put('crowd', { description: `writer ${at}` }, { headers })),
    );
    expect(all.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412, 412, 412]);
    const winner = all.findIndex(({ status }) => status === 200);
    expect((await detail(broker, 'crowd')).description).toBe(`writer ${winner}`);
  });

  it('200 for *, which asks only that there be one', async () => {
    await create(broker, 'starred');
    expect((await put('starred', { description: 'x' }, { headers: { 'if-match': '*' } })).status).toBe(200);
  });

  it('keeps both changes of two writers who named different fields and no ETag', async () => {
    await create(broker, 'two');
    await Promise.all([put('two', { description: 'one' }), put('two', { tags: ['other'] })]);
    expect(await detail(broker, 'two')).toMatchObject({ description: 'one', tags: ['other'] });
  });
});

describe('PUT /oauth/connections/{connection_name}: 400, with nothing written', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['the name', { connection_name: 'other' }, 'connection_name'],
    ['the flow', { oauth_flow_type: 'client_credentials' }, 'oauth_flow_type'],
    ['the refresh token, which is imported', { refresh_token: 'x' }, 'refresh_token'],
    ['the status', { status: 'completed' }, 'status'],
    ['the organisation', { org_id: 'ORG2' }, 'org_id'],
    ['tokens', { access_token: 'x' }, 'access_token'],
    ['null for client_id', { client_id: null }, 'client_id'],
    ['null for token_url', { token_url: null }, 'token_url'],
    ['null for a URL that the flow needs', { authorization_url: null }, 'authorization_url'],
    ['null for a secret that the client needs', { client_secret: null }, 'client_secret'],
    ['no authentication while there is a secret', { client_auth: 'none' }, 'client_secret'],
    ['a parameter of the broker’s own', { extra_authorize_params: { state: 'x' } }, 'extra_authorize_params.state'],
    ['shared_with outside GLOBAL', { shared_with: ['*'] }, 'shared_with'],
    ['a wrong type', { tags: 'a' }, 'tags'],
  ])('validation_failed for %s', async (what, change, at) => {
    const name = `bad-${what.replaceAll(/[^a-z_]/g, '-')}`;
    await create(broker, name);
    const before = await everythingKept(broker);
    expect(await put(name, change)).toMatchObject({
      status: 400,
      json: { error: 'validation_failed', details: [{ path: at }] },
    });
    expect(await everythingKept(broker)).toEqual(before);
  });

  it.each(['authorization_url', 'token_url', 'issuer', 'revocation_url', 'userinfo_url', 'test_url'])(
    'url_not_allowed for %s at an address that is not public',
    async (field) => {
      await create(broker, `url-${field}`);
      const before = await everythingKept(broker);
      const refused = await put(`url-${field}`, { [field]: 'https://169.254.169.254/', client_secret: 'new-secret' });
      expect(refused).toMatchObject({ status: 400, json: { error: 'url_not_allowed', details: [{ path: field }] } });
      expect(await everythingKept(broker)).toEqual(before);
    },
  );
});

describe('PUT /oauth/connections/{connection_name}: 503 vault_unavailable', () => {
  it('leaves everything as it was when the new secret cannot be kept', async () => {
    await create(broker, 'no-vault');
    const before = await rowOf(broker, 'no-vault');
    broker.vault.faults.outage();
    expect(await put('no-vault', { client_secret: 'new-secret', description: 'x' })).toMatchObject({
      status: 503,
      json: { error: 'vault_unavailable' },
    });
    expect(await rowOf(broker, 'no-vault')).toEqual(before);
  });

  it('does not ask the vault for a change without a secret', async () => {
    await create(broker, 'label-only');
    broker.vault.faults.outage();
    expect((await put('label-only', { description: 'x', scopes: 'write' })).status).toBe(200);
  });
});

describe('PUT /oauth/connections/{connection_name}: who may', () => {
  it('404 connection_not_found for one that is not there, also with If-Match', async () => {
    expect(await put('nowhere', {})).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    expect((await put('nowhere', {}, { headers: { 'if-match': '*' } })).status).toBe(404);
  });

  it('404 for another organisation’s, which hides that it exists', async () => {
    await create(broker, 'theirs', { org: 'ORG2' });
    const key = await broker.createKey(['ORG1'], ['admin']);
    const refused = await put('theirs', { description: 'mine' }, { key });
    expect(refused).toMatchObject({ status: 404, json: { error: 'connection_not_found' } });
    expect((await detail(broker, 'theirs', 'ORG2')).description).toBeNull();
  });

  it('403 organization_forbidden for a GLOBAL one by way of another organisation, whoever asks', async () => {
    await broker.call('POST', path, { org: 'GLOBAL', body: serviceBody(broker, 'global-fixed') });
    const key = await broker.createKey(['ORG1'], ['admin']);
    for (const options of [{ key }, {}]) {
      const refused = await put('global-fixed', { description: 'mine' }, options);
      expect(refused).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
    }
    expect((await detail(broker, 'global-fixed', 'GLOBAL')).description).toBeNull();
  });

  it.each(['operator', 'reader', 'auditor'] as const)('403 role_required for the role %s alone', async (role) => {
    await create(broker, `as-${role}`);
    const refused = await put(`as-${role}`, { description: 'x' }, { key: await broker.createKey(['ORG1'], [role]) });
    expect(refused).toMatchObject({ status: 403, json: { error: 'role_required' } });
    expect((await detail(broker, `as-${role}`)).description).toBeNull();
  });
});
