import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BrokerError } from '../../src/domain/errors.ts';
import { presentExport, secretFields } from '../../src/functions/schemas/connection-export.ts';
import { createBody } from '../../src/functions/schemas/connection-input.ts';
import { connect, everythingKept, rowsOf, serviceBody } from '../support/connections.ts';
import { sampleConnection } from '../support/tables-samples.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { recordedBy, type SeenRecord } from './support/audit-records.ts';
import { credentialsOf, detailOf } from './support/authorizing.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

type Row = Record<string, unknown> & { readonly connection_name: string };
const create = async (org: string, body: unknown) => {
  const created = await broker.call('POST', '/api/oauth/connections', { org, body });
  expect(created.status, created.text).toBe(201);
};
const exported = (org: string, query = '', call = {}) =>
  broker.call('GET', `/api/oauth/export${query}`, { org, ...call });
const imported = (org: string, body: unknown, query = '', call = {}) =>
  broker.call('POST', `/api/oauth/import${query}`, { org, body, ...call });
const document = (...connections: unknown[]) => ({ version: 1, connections });
const minimal = (name: string, changes: Record<string, unknown> = {}) =>
  serviceBody(broker, name, { client_secret: undefined, ...changes });

/** One of each kind, every field set somewhere. */
async function fill(org: string) {
  await create(
    org,
    broker.connectionBody('everything', {
      client_secret_expires_at: '2036-01-31T00:00:00.000Z',
      fallback_client_credentials: true,
      fallback_api_key: 'a-fallback-key',
      introspection_url: broker.server.endpoints.introspection,
      test_url: broker.server.endpoints.userinfo,
      device_authorization_url: `${broker.server.issuer}/device`,
      pushed_authorization_url: `${broker.server.issuer}/par`,
      extra_authorize_params: { access_type: 'offline' },
      extra_token_params: { audience: 'x' },
      scope_separator: 'comma',
      description: 'With all that there is',
      tags: ['one', 'two'],
    }),
  );
  await create(org, serviceBody(broker, 'service', { scopes: null }));
  await create(org, {
    connection_name: 'from-catalogue',
    provider: 'zendesk',
    variables: { subdomain: 'acme' },
    oauth_flow_type: 'authorization_code',
    client_id: 'id',
    client_secret: 'a-catalogue-secret',
    scopes: 'read',
  });
  await create(org, {
    ...broker.connectionBody('public'),
    client_auth: 'none',
    client_secret: null,
    client_id: 'app-public',
  });
  await create(org, {
    ...broker.connectionBody('refreshing'),
    oauth_flow_type: 'refresh_token',
    refresh_token: 'a-refresh-token',
    authorization_url: null,
  });
  await create(org, {
    ...serviceBody(broker, 'signing', { client_secret: null }),
    client_auth: 'private_key_jwt',
    signing_algorithm: 'ES256',
  });
}

/** What an import cannot bring: secrets, what hangs on them, and whose and when it is. */
const own = [
  'org_id',
  'created_at',
  'updated_at',
  'has_client_secret',
  'has_fallback_api_key',
  'has_refresh_token',
  'jwks_uri',
  'next_refresh_at',
  'warnings',
];
const comparable = (detail: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(detail).filter(([name]) => !own.includes(name)));

describe('GET /oauth/export and POST /oauth/import', () => {
  it('take an organisation’s connections to another: the same detail but for secrets', async () => {
    await fill('FROM');
    const from = await exported('FROM');
    expect(from).toMatchObject({ status: 200, json: { version: 1, org_id: 'FROM', count: 6, continuation: null } });
    for (const secret of ['a-fallback-key', 'a-catalogue-secret', 'a-refresh-token', 'basic-secret']) {
      expect(from.text).not.toContain(secret);
    }
    const before = await everythingKept(broker);
    const dry = await imported('TO', from.json, '?dry_run=true');
    expect(dry.json).toMatchObject({ dry_run: true, created: 6 });
    expect(await everythingKept(broker)).toEqual(before);
    const names = from.json.connections.map(({ connection_name }: Row) => connection_name);
    const real = await imported('TO', from.json);
    expect(real.json).toEqual({
      dry_run: false,
      created: 6,
      results: names.map((connection_name: string) => ({
        connection_name,
        result: 'created',
        error: null,
        message: null,
        details: [],
      })),
    });
    for (const name of names) {
      const [one, other] = await Promise.all(['FROM', 'TO'].map((org) => detailOf(broker, name, { org })));
      expect(comparable(other?.json), name).toEqual(comparable(one?.json));
    }
    expect((await exported('TO')).json.connections).toEqual(from.json.connections);
    expect((await imported('TO', from.json)).json.results.map(({ result }: { result: string }) => result)).toEqual(
      names.map(() => 'exists'),
    );
  });

  it('leave out no field of the create body but the secrets', () => {
    const fields = Object.keys(createBody.shape).filter((name) => !(secretFields as readonly string[]).includes(name));
    expect(Object.keys(presentExport(sampleConnection())).toSorted()).toEqual(fields.toSorted());
  });

  it('leave the secret to be set: a warning says so, and with it the connection works', async () => {
    await imported('LATER', document(minimal('service')));
    expect((await detailOf(broker, 'service', { org: 'LATER' })).json).toMatchObject({
      status: 'not_connected',
      has_client_secret: false,
      warnings: [{ code: 'client_secret_missing' }],
    });
    expect((await credentialsOf(broker, 'service', '', { org: 'LATER' })).json.error).toBe('connection_not_ready');
    const { clientSecret } = broker.server.clients.service;
    const body = { client_secret: clientSecret };
    const changed = await broker.call('PUT', '/api/oauth/connections/service', { org: 'LATER', body });
    expect(changed.json).toMatchObject({ has_client_secret: true, warnings: [] });
    expect((await credentialsOf(broker, 'service', '', { org: 'LATER' })).json.method).toBe('client_credentials');
  });
});

describe('GET /oauth/export', () => {
  it('gives pages, and nothing of GLOBAL or of another organisation', async () => {
    for (const name of ['a', 'b', 'c']) await create('PAGED', serviceBody(broker, name));
    await create('GLOBAL', serviceBody(broker, 'of-global', { shared_with: ['ORG1'] }));
    const first = await exported('PAGED', '?limit=2');
    expect(first.json.count).toBe(2);
    const second = await exported('PAGED', `?limit=2&continuation=${encodeURIComponent(first.json.continuation)}`);
    const names = [...first.json.connections, ...second.json.connections].map(
      ({ connection_name }: Row) => connection_name,
    );
    expect(names).toEqual(['a', 'b', 'c']);
    expect((await exported('GLOBAL')).json.connections).toMatchObject([
      { connection_name: 'of-global', shared_with: ['ORG1'] },
    ]);
  });

  it('holds no token', async () => {
    await connect(broker, 'connected', { org: 'TOKENS' });
    const { json } = await credentialsOf(broker, 'connected', '', { org: 'TOKENS' });
    expect((await exported('TOKENS')).text).not.toContain(json.access_token);
  });

  it.each(['0', '201', 'x'])('400 validation_failed for limit=%s', async (limit) => {
    expect(await exported('PAGED', `?limit=${limit}`)).toMatchObject({
      status: 400,
      json: { details: [{ path: 'limit' }] },
    });
  });
});

describe('the record of an import', () => {
  const recordsOf = (records: readonly SeenRecord[], org: string) => records.filter((each) => each.org === org);

  it('of a dry run says nothing of connections that were not made', async () => {
    const records = await recordedBy(broker, () => imported('NOTED-DRY', document(minimal('one')), '?dry_run=true'));
    expect(recordsOf(records, 'NOTED-DRY')).toMatchObject([
      { action: 'connections.import', detail: { dry_run: true, created: 1 } },
    ]);
  });

  it('names each connection that was made, who made it, from where, and by which call', async () => {
    const headers = { 'x-correlation-id': 'import-call-1' };
    const rows = document(minimal('one'), minimal('two'), minimal('one'));
    const records = await recordedBy(broker, () => imported('NOTED', rows, '', { headers }));
    const by = { actor: 'api_key bootstrap', address: '127.0.0.1', correlationId: 'import-call-1', count: 1 };
    expect(recordsOf(records, 'NOTED').toSorted((a, b) => (a.connection < b.connection ? -1 : 1))).toMatchObject([
      { ...by, action: 'connections.import', connection: '', detail: { created: 2 } },
      { ...by, action: 'connection.create', connection: 'one', outcome: 'success' },
      { ...by, action: 'connection.create', connection: 'two', outcome: 'success' },
    ]);
  });

  it('must be written: 503 audit_unavailable, and it may have been made all the same', async () => {
    const error = new BrokerError('audit_unavailable', 'The audit log cannot be written. Try again shortly.');
    const shut = vi.spyOn(broker.composition.broker.audit, 'recordFor').mockRejectedValueOnce(error);
    const answer = await imported('UNNOTED', document(minimal('one')));
    shut.mockRestore();
    expect(answer).toMatchObject({ status: 503, json: { error: 'audit_unavailable' } });
    expect(answer.json.message).toContain('The change may have been made');
    expect((await detailOf(broker, 'one', { org: 'UNNOTED' })).status).toBe(200);
  });
});

describe('POST /oauth/import', () => {
  const secret = 'a-secret-in-a-row';

  it.each(['?dry_run=true', ''])('gives one result for each row, whatever the others are (%s)', async (query) => {
    const org = query === '' ? 'MIXED' : 'MIXED-DRY';
    await create(org, serviceBody(broker, 'there'));
    const answer = await imported(
      org,
      document(
        minimal('good', { client_secret: secret }),
        minimal('there'),
        { connection_name: 'bad name', oauth_flow_type: 'none' },
        minimal('inside', { token_url: 'https://127.0.0.1.nip.io:1/x', revocation_url: 'http://10.0.0.1/' }),
        minimal('unknown', { provider: 'no-such-provider', token_url: undefined }),
        minimal('good'),
        'no object',
        minimal('last'),
      ),
      query,
    );
    expect(answer.status, answer.text).toBe(200);
    expect(answer.json.created).toBe(2);
    expect(answer.json.results).toMatchObject([
      { connection_name: 'good', result: 'created' },
      { connection_name: 'there', result: 'exists', error: 'connection_exists' },
      {
        connection_name: 'bad name',
        result: 'invalid',
        details: expect.arrayContaining([{ path: 'connection_name', message: expect.any(String) }]),
      },
      { connection_name: 'inside', result: 'invalid', error: 'url_not_allowed', details: [{ path: 'revocation_url' }] },
      { connection_name: 'unknown', result: 'invalid', details: [{ path: 'provider' }] },
      { connection_name: 'good', result: 'exists' },
      { connection_name: null, result: 'invalid' },
      { connection_name: 'last', result: 'created' },
    ]);
    expect(answer.text).not.toContain(secret);
    const rows = (await rowsOf(broker, 'OAuthConnections')).filter(({ partitionKey }) => partitionKey === org);
    expect(rows.map(({ rowKey }) => rowKey)).toEqual(query === '' ? ['good', 'last', 'there'] : ['there']);
  });

  it('takes secrets with the rows', async () => {
    const { clientSecret } = broker.server.clients.service;
    await imported('SECRETS', document(minimal('service', { client_secret: clientSecret, fallback_api_key: secret })));
    expect((await detailOf(broker, 'service', { org: 'SECRETS' })).json).toMatchObject({
      has_client_secret: true,
      has_fallback_api_key: true,
    });
    expect((await credentialsOf(broker, 'service', '', { org: 'SECRETS' })).json.method).toBe('client_credentials');
  });

  it('says failed, not invalid, where the vault is what was wrong', async () => {
    broker.vault.faults.outage();
    const answer = await imported('OUTAGE', document(minimal('later', { client_secret: secret })));
    broker.vault.faults.clear();
    expect(answer.json.results).toMatchObject([{ result: 'failed', error: 'vault_unavailable' }]);
    expect((await detailOf(broker, 'later', { org: 'OUTAGE' })).status).toBe(404);
  });

  it.each<[string, unknown, string]>([
    ['another version', { version: 2, connections: [{}] }, 'version'],
    ['no rows', document(), 'connections'],
    ['more than 200', document(...Array.from({ length: 201 }, () => ({}))), 'connections'],
    ['an unknown field', { ...document({}), secrets: [] }, 'secrets'],
  ])('400 validation_failed for %s', async (_what, body, path) => {
    expect(await imported('ORG1', body)).toMatchObject({ status: 400, json: { details: [{ path }] } });
  });

  it('413 payload_too_large for more than 256 KB', async () => {
    expect((await imported('ORG1', document({ description: 'x'.repeat(270_000) }))).status).toBe(413);
  });
});
