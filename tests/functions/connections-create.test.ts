import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  detailFields,
  everythingKept,
  rowOf,
  secretInVault,
  serviceBody,
  vaultChanges,
} from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterEach(() => broker.vault.faults.clear());
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
const post = (body: unknown, options: { org?: string | null; key?: string | null; path?: string } = {}) =>
  broker.call('POST', options.path ?? path, { body, ...options });

describe('POST /oauth/connections: 201', () => {
  it('takes the sample request of the specification and shows no secret', async () => {
    const created = await broker.call('POST', path, {
      org: null,
      headers: { 'X-Organization-Id': 'ORG123' },
      body: {
        connection_name: 'my_connection',
        oauth_flow_type: 'client_credentials',
        client_id: 'my-client-id',
        client_secret: 'marker-of-the-sample-secret',
        authorization_url: 'https://provider.example.com/oauth/authorize',
        token_url: 'https://provider.example.com/oauth/token',
        scopes: 'read,write',
      },
    });
    expect(created).toMatchObject({
      status: 201,
      json: {
        connection_name: 'my_connection',
        org_id: 'ORG123',
        oauth_flow_type: 'client_credentials',
        status: 'not_connected',
        client_id: 'my-client-id',
        authorization_url: 'https://provider.example.com/oauth/authorize',
        token_url: 'https://provider.example.com/oauth/token',
        scopes: 'read,write',
        has_client_secret: true,
        created_by: 'bootstrap',
      },
    });
    expect(created.text).not.toContain('marker-of-the-sample-secret');
    expect(JSON.stringify([...created.headers])).not.toContain('marker-of-the-sample-secret');
    const read = await broker.call('GET', `${path}/my_connection`, { org: 'ORG123' });
    expect(read.json).toEqual(created.json);
    expect(JSON.stringify(await rowOf(broker, 'my_connection', 'ORG123'))).not.toContain('marker-of-the-sample-secret');
    expect(broker.lines.join('')).not.toContain('marker-of-the-sample-secret');
  });

  it('fills every field that was left out with its default, and leaves none of the detail out', async () => {
    const before = Date.now();
    const { status, json, headers } = await post(serviceBody(broker, 'defaults', { scopes: undefined }));
    expect(status).toBe(201);
    expect(Object.keys(json).toSorted()).toEqual(detailFields.toSorted());
    const { created_at, updated_at, ...rest } = json;
    expect(rest).toEqual({
      connection_name: 'defaults',
      provider: null,
      oauth_flow_type: 'client_credentials',
      status: 'not_connected',
      status_reason: null,
      status_message: null,
      expires_at: null,
      last_refresh_at: null,
      org_id: 'ORG1',
      client_secret_expires_at: null,
      tags: [],
      variables: {},
      signing_algorithm: null,
      jwks_uri: null,
      introspection_url: null,
      device_authorization_url: null,
      pushed_authorization_url: null,
      fallback_client_credentials: false,
      has_previous_client_secret: false,
      has_fallback_api_key: false,
      warnings: [],
      client_id: broker.server.clients.service.clientId,
      client_auth: 'client_secret_basic',
      authorization_url: null,
      token_url: broker.server.endpoints.token,
      issuer: null,
      revocation_url: null,
      userinfo_url: null,
      test_url: null,
      scopes: null,
      scope_separator: 'space',
      extra_authorize_params: {},
      extra_token_params: {},
      description: null,
      shared_with: [],
      granted_scopes: null,
      missing_scopes: [],
      redirect_uri: null,
      has_client_secret: true,
      has_refresh_token: false,
      last_test_at: null,
      next_refresh_at: null,
      created_by: 'bootstrap',
      pending_authorization: false,
      failure: null,
    });
    expect(updated_at).toBe(created_at);
    expect(created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Math.abs(Date.parse(created_at) - before)).toBeLessThan(60_000);
    expect(headers.get('etag')).toMatch(/^"[^"]+"$/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-correlation-id')).toBeTruthy();
  });

  it('gives every field back as it was given, null meaning the default', async () => {
    const given = {
      test_url: 'https://api.example.com/ping?deep=1',
      scopes: 'openid, read   write',
      scope_separator: 'comma',
      extra_authorize_params: { audience: 'https://api.example.com', 'x y': 'é"<' },
      extra_token_params: { resource: 'a&b=c' },
      client_auth: 'client_secret_basic_raw',
      description: 'Line one\nline "two" <b> é 🪢',
      tags: ['prod', 'é', 'a b'],
    };
    const { status, json } = await post(broker.connectionBody('everything', { ...given, issuer: null }));
    expect(status).toBe(201);
    expect(json).toMatchObject({ ...given, issuer: null });
    expect(json.redirect_uri).toBe(`${broker.url}/api/oauth/callback/everything`);
    expect((await broker.call('GET', `${path}/everything`)).json).toEqual(json);
  });

  it.each(['a', 'A-b_9', 'x'.repeat(100), '__proto__', 'constructor', '-'])('takes the name %s', async (name) => {
    const created = await post(serviceBody(broker, name));
    expect(created).toMatchObject({ status: 201, json: { connection_name: name } });
    expect((await broker.call('GET', `${path}/${name}`)).json).toEqual(created.json);
  });

  it('keeps the secret in the vault under a name of its own and only the reference in the row', async () => {
    await post(serviceBody(broker, 'kept'));
    const row = await rowOf(broker, 'kept');
    expect(row?.client_secret_ref).toMatch(/^bowline-[0-9a-zA-Z-]{16,}$/);
    expect(await secretInVault(broker, row?.client_secret_ref)).toBe(200);
  });

  it('needs no secret for a public client, and asks the vault nothing', async () => {
    const before = vaultChanges(broker).length;
    const body = broker.connectionBody('public', { client_auth: 'none', client_id: 'app-public', client_secret: null });
    expect(await post(body)).toMatchObject({ status: 201, json: { has_client_secret: false, client_auth: 'none' } });
    expect(vaultChanges(broker)).toHaveLength(before);
  });

  it('creates the same name in another organisation, a connection of its own', async () => {
    const first = await post(serviceBody(broker, 'twin'), { org: 'ORG1' });
    const second = await post(serviceBody(broker, 'twin', { description: 'theirs' }), { org: 'ORG2' });
    expect([first.status, second.status]).toEqual([201, 201]);
    expect((await broker.call('GET', `${path}/twin`, { org: 'ORG1' })).json.description).toBeNull();
  });

  it('takes a GLOBAL connection, shared with everybody by default or with those named', async () => {
    const open = await post(serviceBody(broker, 'global-open'), { org: 'GLOBAL' });
    expect(open.json).toMatchObject({ org_id: 'GLOBAL', shared_with: ['*'] });
    const closed = await post(serviceBody(broker, 'global-some', { shared_with: ['ORG1', 'ORG7'] }), { org: 'GLOBAL' });
    expect(closed.json.shared_with).toEqual(['ORG1', 'ORG7']);
    const none = await post(serviceBody(broker, 'global-none', { shared_with: [] }), { org: 'GLOBAL' });
    expect(none.json.shared_with).toEqual([]);
  });

  it('names the caller who created it', async () => {
    const key = await broker.createKey(['ORG1'], ['admin']);
    const created = await post(serviceBody(broker, 'authored'), { key, org: null });
    expect(created).toMatchObject({ status: 201, json: { org_id: 'ORG1' } });
    expect(created.json.created_by).toBe(key.split('_')[1]);
  });
});

describe('POST /oauth/connections: 409 connection_exists', () => {
  it('refuses a name that is taken, and neither writes nor keeps a secret', async () => {
    await post(serviceBody(broker, 'taken'));
    const before = await everythingKept(broker);
    const again = await post(serviceBody(broker, 'taken', { client_secret: 'another-secret', scopes: 'write' }));
    expect(again).toMatchObject({ status: 409, json: { error: 'connection_exists' } });
    expect(again.json.message).toContain('taken');
    expect(await everythingKept(broker)).toEqual(before);
  });

  it('lets one of many at once win, with one secret in the vault', async () => {
    const before = vaultChanges(broker).length;
    const all = await Promise.all(Array.from({ length: 6 }, () => post(serviceBody(broker, 'raced'))));
    expect(all.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
    expect(vaultChanges(broker)).toHaveLength(before + 1);
  });
});

describe('POST /oauth/connections: 503 vault_unavailable', () => {
  it('leaves no row behind, so that the same call works later', async () => {
    broker.vault.faults.outage();
    const refused = await post(serviceBody(broker, 'no-vault'));
    expect(refused).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
    expect(await rowOf(broker, 'no-vault')).toBeUndefined();
    broker.vault.faults.clear();
    expect((await post(serviceBody(broker, 'no-vault'))).status).toBe(201);
  });

  it('passes on how long a throttled vault wants to be left alone', async () => {
    broker.vault.faults.respond({ status: 429, retryAfterSeconds: 7, matches: ({ method }) => method === 'PUT' });
    const refused = await post(serviceBody(broker, 'throttled'));
    expect(refused).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
    expect(refused.headers.get('retry-after')).toBe('7');
    expect(await rowOf(broker, 'throttled')).toBeUndefined();
  });
});

describe('POST /oauth/connections: who may (S-56)', () => {
  it.each(['operator', 'reader', 'auditor'] as const)('403 role_required for the role %s alone', async (role) => {
    const key = await broker.createKey(['ORG1'], [role]);
    const before = await everythingKept(broker);
    expect(await post(serviceBody(broker, `as-${role}`), { key })).toMatchObject({
      status: 403,
      json: { error: 'role_required' },
    });
    expect(await everythingKept(broker)).toEqual(before);
  });

  it('401 without a key', async () => {
    expect(await post(serviceBody(broker, 'nobody'), { key: null })).toMatchObject({
      status: 401,
      json: { error: 'unauthenticated' },
    });
  });

  it.each(['ORG2', 'GLOBAL', 'NEVER-SEEN'])(
    '403 organization_forbidden for an admin of ORG1 who names %s',
    async (org) => {
      const key = await broker.createKey(['ORG1'], ['admin']);
      expect(await post(serviceBody(broker, 'elsewhere'), { key, org })).toMatchObject({
        status: 403,
        json: { error: 'organization_forbidden' },
      });
      expect(await rowOf(broker, 'elsewhere', org)).toBeUndefined();
    },
  );

  it('400 organization_required for a caller of two organisations who names none', async () => {
    const key = await broker.createKey(['ORG1', 'ORG2'], ['admin']);
    expect(await post(serviceBody(broker, 'unsaid'), { key, org: null })).toMatchObject({
      status: 400,
      json: { error: 'organization_required' },
    });
  });
});
