import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { everythingKept, serviceBody } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let before: Awaited<ReturnType<typeof everythingKept>>;
beforeAll(async () => {
  broker = await startTestBroker();
  await broker.call('POST', '/api/oauth/connections', { body: serviceBody(broker, 'witness') });
});
beforeEach(async () => {
  before = await everythingKept(broker);
});
/** Whatever was wrong: nothing was written, and the provider was not called. */
afterEach(async () => {
  expect(await everythingKept(broker)).toEqual(before);
  expect(broker.server.tokens.count()).toBe(0);
});
afterAll(() => broker.stop());

const path = '/api/oauth/connections';
const post = (body: unknown, options: { path?: string; org?: string; headers?: Record<string, string> } = {}) =>
  broker.call('POST', options.path ?? path, { body, ...options });
const service = (changes: Record<string, unknown>) => serviceBody(broker, 'bad', changes);
const code = (changes: Record<string, unknown>) => broker.connectionBody('bad', changes);
const rejection = (...paths: string[]) => ({
  status: 400,
  json: { error: 'validation_failed', details: paths.map((at) => expect.objectContaining({ path: at })) },
});

describe('POST /oauth/connections: 400 validation_failed, with the path of each fault', () => {
  it('for every required field that is missing, all at once', async () => {
    expect(await post({})).toMatchObject(rejection('connection_name', 'oauth_flow_type'));
    expect(await post(service({ client_id: undefined }))).toMatchObject(rejection('client_id'));
    expect(await post(service({ token_url: undefined }))).toMatchObject(rejection('token_url'));
  });

  it.each<[unknown, string]>([
    ['', 'empty'],
    ['a b', 'with a space'],
    ['a/b', 'with a slash'],
    ['a.b', 'with a dot'],
    ['ünï', 'with letters beyond ASCII'],
    ['x'.repeat(101), 'of 101 characters'],
    ["x' or PartitionKey ne '", 'that is a query'],
    ['name\n', 'with a line break at its end'],
    [17, 'that is a number'],
    [['a'], 'that is a list'],
    [null, 'that is null'],
  ])('for the name %j, %s', async (name) => {
    expect(await post(serviceBody(broker, name as string))).toMatchObject(rejection('connection_name'));
  });

  it.each([
    ['oauth_flow_type', 'implicit'],
    ['oauth_flow_type', 'password'],
    ['oauth_flow_type', 'atproto'],
    ['client_id', ''],
    ['client_id', 12],
    ['client_id', null],
    ['client_id', 'x'.repeat(1025)],
    ['client_secret', ''],
    ['client_secret', { value: 'x' }],
    ['client_secret', 'x'.repeat(16_385)],
    ['client_secret', '€'.repeat(9000)],
    ['token_url', null],
    ['token_url', 5],
    ['token_url', `https://provider.example.com/${'x'.repeat(2048)}`],
    ['issuer', false],
    ['scopes', ['read', 'write']],
    ['scopes', 'x'.repeat(4097)],
    ['scope_separator', 'plus'],
    ['extra_authorize_params', 'a=b'],
    ['extra_authorize_params', ['a']],
    ['client_auth', 'client_secret_jwt'],
    ['description', 5],
    ['description', 'x'.repeat(1001)],
    ['tags', 'prod'],
    ['tags', Array.from({ length: 21 }, (_, at) => `tag-${at}`)],
    ['shared_with', '*'],
  ])('for %s: %j', async (field, value) => {
    expect(await post(service({ [field]: value }))).toMatchObject(rejection(field));
  });

  it.each([
    [{ extra_token_params: { resource: 5 } }, 'extra_token_params.resource'],
    [{ extra_token_params: { resource: 'x'.repeat(2001) } }, 'extra_token_params.resource'],
    [{ tags: ['fine', ''] }, 'tags.1'],
    [{ tags: [1] }, 'tags.0'],
  ])('for the inside of %j', async (changes, at) => {
    expect(await post(service(changes))).toMatchObject(rejection(at));
  });

  it('for a list of organisations with one that is no id', async () => {
    const refused = await post(service({ shared_with: ['ORG1', 'no id'] }), { org: 'GLOBAL' });
    expect(refused).toMatchObject(rejection('shared_with.1'));
  });

  it.each([
    'organizationId',
    'org_id',
    'status',
    'access_token',
    'created_by',
    'provider_id',
    'api_key',
    'partitionKey',
    'seq',
    'constructor',
    'Client_ID',
  ])('for the unknown field %s', async (field) => {
    expect(await post(service({ [field]: 'x' }))).toMatchObject(rejection(field));
  });

  it('for __proto__, as for any unknown field', async () => {
    const text = JSON.stringify(service({})).replace('{', '{"__proto__":{"client_auth":"none"},');
    expect(await post(text)).toMatchObject(rejection('__proto__'));
  });

  it('for __proto__ among the extra parameters', async () => {
    const text = JSON.stringify(service({ extra_token_params: {} })).replace(
      '"extra_token_params":{}',
      '"extra_token_params":{"__proto__":"x"}',
    );
    expect(await post(text)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it.each(['null', '[]', '"text"', '5', 'true'])('for the body %s, which is no object', async (text) => {
    expect(await post(text)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it.each(['{"connection_name": "bad"', '{connection_name: 1}', 'client_id=x', '\u0000'])(
    'for the malformed JSON %j',
    async (text) => {
      const refused = await post(text);
      expect(refused).toMatchObject(rejection(''));
      expect(refused.json.message).toBe('the body is not well-formed JSON');
    },
  );

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'application/json-patch+json', ''])(
    'for the content type %j',
    async (type) => {
      expect(await post(service({}), { headers: { 'content-type': type } })).toMatchObject(rejection('Content-Type'));
    },
  );

  it('for no body at all', async () => {
    expect((await broker.call('POST', path)).json.error).toBe('validation_failed');
  });

  it.each(['?connect=yes', '?connect=', '?connect=true&connect=true', '?conect=true', '?org_id=ORG2'])(
    'for the query %s',
    async (query) => {
      const refused = await post(service({}), { path: `${path}${query}` });
      expect(refused).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
    },
  );

  it.each(['no id', 'x'.repeat(65), 'a/b', "x' or PartitionKey ne '"])(
    'for the organisation %j, named by a platform caller',
    async (org) => {
      expect(await post(service({}), { org })).toMatchObject(rejection('X-Organization-Id'));
    },
  );
});

describe('POST /oauth/connections: 400 validation_failed for what does not fit together', () => {
  it.each<[string, string, () => Record<string, unknown>]>([
    ['the code flow without authorization_url', 'authorization_url', () => code({ authorization_url: null })],
    ['a confidential client without its secret', 'client_secret', () => service({ client_secret: null })],
    ['a public client with a secret', 'client_secret', () => code({ client_auth: 'none' })],
    [
      'client credentials without authentication',
      'client_auth',
      () => service({ client_auth: 'none', client_secret: null }),
    ],
    ['shared_with outside GLOBAL', 'shared_with', () => service({ shared_with: ['ORG2'] })],
    ['a refresh token for another flow', 'refresh_token', () => service({ refresh_token: 'x' })],
  ])('%s', async (_what, at, body) => {
    expect(await post(body())).toMatchObject(rejection(at));
  });

  it('connect=true where a person is needed', async () => {
    expect(await post(code({}), { path: `${path}?connect=true` })).toMatchObject(rejection('connect'));
  });

  it.each([
    'client_id',
    'redirect_uri',
    'response_type',
    'state',
    'scope',
    'code_challenge',
    'code_challenge_method',
    'nonce',
    'request_uri',
    'Redirect_URI',
  ])('the authorization parameter %s, which the broker sets itself', async (name) => {
    const refused = await post(code({ extra_authorize_params: { [name]: 'x', audience: 'fine' } }));
    expect(refused).toMatchObject(rejection(`extra_authorize_params.${name}`));
  });

  it.each([
    'client_id',
    'client_secret',
    'client_assertion',
    'code',
    'code_verifier',
    'grant_type',
    'redirect_uri',
    'refresh_token',
    'scope',
    'Grant_Type',
  ])('the token parameter %s, which the broker sets itself', async (name) => {
    const refused = await post(code({ extra_token_params: { [name]: 'x', audience: 'fine' } }));
    expect(refused).toMatchObject(rejection(`extra_token_params.${name}`));
  });

  it('more extra parameters than a row can hold', async () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`p${at}`, 'x'.repeat(1900)]));
    expect(await post(service({ extra_authorize_params: many }))).toMatchObject(rejection('extra_authorize_params'));
  });

  it('never repeats a value that may be secret', async () => {
    const refused = await post(
      code({ client_auth: 'none', client_secret: 'marker-secret', refresh_token: 'marker-token' }),
    );
    expect(refused.status).toBe(400);
    expect(refused.text).not.toContain('marker-');
    expect(broker.lines.join('')).not.toContain('marker-');
  });
});

describe('POST /oauth/connections: what cannot be read', () => {
  it('413 payload_too_large for a body over 256 KB', async () => {
    const refused = await post(service({ description: 'x'.repeat(256 * 1024) }));
    expect(refused).toMatchObject({ status: 413, json: { error: 'payload_too_large' } });
  });

  it('411 length_required for a chunked body, which the platform delivers empty', async () => {
    const body = JSON.stringify(service({}));
    const answer = await broker.host.raw(
      [
        `POST ${path} HTTP/1.1`,
        `Host: ${new URL(broker.url).host}`,
        `X-Api-Key: ${broker.adminKey}`,
        'X-Organization-Id: ORG1',
        'Content-Type: application/json',
        'Transfer-Encoding: chunked',
        'Connection: close',
        '',
        body.length.toString(16),
        body,
        '0',
        '',
        '',
      ].join('\r\n'),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 411 /);
    expect(answer).toContain('"error":"length_required"');
  });
});
