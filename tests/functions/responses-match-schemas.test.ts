import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorSchema } from '../../src/functions/http/errors.ts';
import { statusOf } from '../../src/functions/http/status.ts';
import { routeTable } from '../../src/functions/route-table.ts';
import { type Call, type Result, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, connect, createConnection, land, signIn } from './support/authorizing.ts';
import { bodyOf, pathOf } from './support/every-route.ts';
import { answerNext, createGranted, createMinting, failNext } from './support/granted.ts';

let broker: TestBroker;
/** `name status` of everything that was checked. */
const seen = new Set<string>();
const television = { client_id: 'tv', client_secret: 'tv-secret' };
beforeAll(async () => {
  const grants = ['urn:ietf:params:oauth:grant-type:device_code'];
  const device = { ...television, redirect_uris: [], response_types: [], grant_types: grants };
  broker = await startTestBroker({ server: { clients: [device] } });
});
afterAll(() => broker.stop());

/** Calls a route by its name and holds the answer against what it declares: nothing missing, nothing more. */
async function check(
  name: string,
  parameters: Readonly<Record<string, string>> = {},
  call: Call & { query?: string } = {},
) {
  const route = routeTable.find((candidate) => candidate.name === name);
  if (route === undefined) throw new Error(`no route ${name}`);
  const path = route.path.replace(/\{(\w+)\}/g, (_, parameter: string) => parameters[parameter] ?? 'absent');
  const answer = await broker.call(route.method, `/api${path}${call.query ?? ''}`, call);
  const declared = route.responses[answer.status];
  if (declared === undefined)
    throw new Error(`${name} answers ${answer.status}, which it does not declare: ${answer.text}`);
  if (declared.schema === undefined) expect(answer.json).toBeUndefined();
  else expectExactly(declared.schema, answer, `${name} ${answer.status}`);
  seen.add(`${name} ${answer.status}`);
  return answer;
}

/** What a schema does not know it strips, at every depth: so an answer that is whole has nothing more. */
function expectExactly(schema: { parse(value: unknown): unknown }, { json }: Result, what: string): void {
  expect(schema.parse(json), what).toEqual(json);
}

describe('the declared answers', () => {
  it('of connections, from empty to connected to failed', async () => {
    const created = await check(
      'connections-create',
      {},
      {
        body: broker.connectionBody('crm', { extra_token_params: { audience: 'a' } }),
      },
    );
    expect(created.status).toBe(201);
    const crm = { connection_name: 'crm' };
    await check('connections-get', crm);
    await check('connections-authorize', crm, { body: {} });
    await check('connections-get', crm);
    await check('connections-cancel', crm, { body: {} });
    await connect(broker, 'crm');
    await connect(broker, 'crm', { body: { user_id: 'ann' } });
    await check('connections-get', crm);
    await check('connections-grants', crm);
    expect((await check('connections-events', crm)).json.count).toBeGreaterThan(0);
    expect((await check('audit-list')).json.count).toBeGreaterThan(0);
    await check('connections-test', crm, { body: {} });
    await check('connections-refresh', crm, { body: {} });
    await check('connections-update', crm, { body: { description: 'new', tags: ['a'] } });
    await check('credentials-get', crm);
    await check('credentials-get', crm, { query: '?user_id=ann' });
    await check('connections-tokens', crm, { body: { access_token: 'at', user_id: 'ben', scopes: 'read' } });
    await check('connections-grants', crm);
    await check('connections-disconnect', crm, { body: {} });
    const introspection_url = broker.server.endpoints.introspection;
    await createConnection(broker, 'looked-at', { introspection_url });
    await connect(broker, 'looked-at');
    await check('connections-introspect', { connection_name: 'looked-at' }, { body: {} });
    await check('export', {}, { query: '?limit=1' });
    const page = await check('export');
    await check('import', {}, { body: page.json });
    await check('import', {}, { body: { version: 1, connections: [{}] }, query: '?dry_run=true' });
    await check('revoke', {}, { body: { dry_run: true } });
    await createGranted(broker, 'failing', { expires_in: 100 });
    broker.clock.advance(90_000);
    failNext(broker, 503, 'temporarily_unavailable');
    await check('credentials-get', { connection_name: 'failing' });
    const failing = await check('connections-get', { connection_name: 'failing' });
    expect(failing.json.failure).not.toBeNull();
    await check('connections-list', {}, { query: '?limit=1' });
    const signing = { client_secret: null, client_auth: 'private_key_jwt', signing_algorithm: 'ES256' };
    const signer = await createConnection(broker, 'signer', signing);
    const [org_id = '', connection_name = '', key_id = ''] = signer.json.jwks_uri.split('/').slice(-3);
    await check('jwks', { org_id, connection_name, key_id });
    await createConnection(broker, 'exchange', { oauth_flow_type: 'token_exchange' });
    answerNext(broker);
    await check('credentials-exchange', { connection_name: 'exchange' }, { body: { subject_token: 'of-somebody' } });
    const device_authorization_url = broker.server.endpoints.deviceAuthorization;
    await createConnection(broker, 'tv', { oauth_flow_type: 'device_code', device_authorization_url, ...television });
    await check('connections-authorize', { connection_name: 'tv' }, { body: {} });
    await check('connections-cancel', { connection_name: 'tv' }, { body: {} });
    await check('connections-list');
    await check('connections-delete', crm);
  });

  it('of workflows', async () => {
    await createMinting(broker, 'minted');
    await check('credentials-get', { connection_name: 'minted' });
    const place = { workflow_id: 'w', connection_name: 'minted' };
    await check('workflow-dependencies-add', place, { body: { connection_name: 'minted' } });
    await check('workflow-dependencies-list', place);
    await check('workflow-dependencies-remove', place);
    await check('workflows-disable', place, { body: {} });
    await check('workflows-disabled');
    await check('workflows-enable', place, { body: {} });
  });

  it('of jobs, with errors in them', async () => {
    answerNext(broker);
    failNext(broker, 400, 'invalid_grant', { times: 3 });
    const { json } = await check('refresh-all', {}, { body: {} });
    await expect
      .poll(async () => (await check('refresh-job-status', {}, { query: `?job_id=${json.job_id}` })).json.state, {
        timeout: 10_000,
      })
      .toBe('finished');
    broker.server.tokens.reset();
    await check('refresh-job-status');
  });

  it('of a rekey job', async () => {
    const call = { org: null };
    const { json } = await check('rekey', {}, { ...call, body: {} });
    const query = `?job_id=${json.job_id}`;
    await expect
      .poll(async () => (await check('rekey-job-status', {}, { ...call, query })).json.state, { timeout: 10_000 })
      .toBe('finished');
    expect((await check('rekey-job-status', {}, call)).json.keys).not.toEqual([]);
  });

  it('of callers', async () => {
    const made = await check(
      'callers-create',
      {},
      { body: { name: 'x', roles: ['reader'], expires_at: '2099-01-01T00:00:00Z' } },
    );
    await check('callers-list');
    const rotated = await check('callers-rotate', { id: made.json.id }, { body: {} });
    await check('callers-delete', { id: rotated.json.id });
    await check('me', {}, { org: null });
  });

  it('of the catalogue', async () => {
    await check('providers-list', {}, { org: null });
    await check('providers-get', { provider_id: 'oidc' }, { org: null });
  });

  it('of what is public', async () => {
    await check('health');
    await check('health-ready');
    await check('openapi-json');
    broker.vault.faults.outage();
    const answerIsKeptMs = 5000;
    broker.clock.advance(answerIsKeptMs);
    await check('health-ready');
    broker.vault.faults.clear();
    broker.clock.advance(answerIsKeptMs);
  });

  it('are all here: every route with every status that it declares a body for', () => {
    const declared = routeTable.flatMap(({ name, responses }) =>
      Object.entries(responses).flatMap(([status, { schema }]) => (schema ? [`${name} ${status}`] : [])),
    );
    expect(declared.filter((each) => !seen.has(each))).toEqual([]);
  });
});

describe('errors', () => {
  it('have the error form with nothing more, and a status that is their code’s', async () => {
    for (const route of routeTable.filter(({ isPage }) => !isPage)) {
      const calls: Call[] = [{ key: null }, { org: 'no org' }, { body: bodyOf(route) }];
      if (bodyOf(route) !== undefined) calls.push({ body: { unknown: 1 } });
      for (const call of calls) {
        const answer = await broker.call(route.method, pathOf(route.path), call);
        if (answer.status < 400) continue;
        expectExactly(errorSchema, answer, `${route.name} ${answer.status}`);
        expect(answer.status).toBe(statusOf[answer.json.error as keyof typeof statusOf]);
      }
    }
  });

  it('carry more only where the contract says so', async () => {
    await createConnection(broker, 'idle');
    const notReady = await broker.call('GET', '/api/oauth/credentials/idle');
    expect(Object.keys(notReady.json).sort()).toEqual(
      ['authorize', 'correlation_id', 'error', 'message', 'status', 'status_message', 'status_reason'].sort(),
    );
    await broker.call('POST', '/api/oauth/workflows/w9/dependencies', { body: { connection_name: 'idle' } });
    const depend = await broker.call('DELETE', '/api/oauth/connections/idle');
    expect(Object.keys(depend.json).sort()).toEqual(
      ['correlation_id', 'dependent_workflows', 'error', 'message'].sort(),
    );
    for (const answer of [notReady, depend]) expect(errorSchema.safeParse(answer.json).success).toBe(true);
  });

  it('of pages are pages', async () => {
    await createConnection(broker, 'paged');
    const page = await land(await signIn(await begin(broker, 'paged'), { deny: true }));
    expect(page.headers.get('content-type')).toContain('text/html');
  });
});
