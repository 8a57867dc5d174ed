import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { begin, createConnection, detailOf } from '../functions/support/authorizing.ts';
import { type Endpoint, startEndpoint } from '../functions/support/endpoint.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let endpoint: Endpoint;
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
});
afterAll(async () => {
  await broker.stop();
  await endpoint.stop();
});

const create = (body: unknown) => broker.call('POST', '/api/oauth/connections', { body });

async function expectCode(connection: string): Promise<void> {
  const asked = new URL((await begin(broker, connection)).authorization_url).searchParams;
  const given = [...asked].filter(([name]) => name.trim().toLowerCase() === 'response_type');
  expect(given).toEqual([['response_type', 'code']]);
}

describe('S-13 no configuration', () => {
  it.each([
    'implicit',
    'token',
    'id_token',
    'hybrid',
    'code token',
    'password',
    'resource_owner_password_credentials',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
    'AUTHORIZATION_CODE',
    '',
  ])('has the flow %j: 400', async (flow) => {
    const answer = await create(broker.connectionBody('flow', { oauth_flow_type: flow }));
    expect(answer).toMatchObject({ status: 400, json: { details: [{ path: 'oauth_flow_type' }] } });
  });

  it.each(['token', 'id_token', 'code token', 'none'])('asks for response_type=%s', async (type) => {
    const spellings = ['response_type', 'Response_Type', ' response_type '];
    for (const [index, name] of spellings.entries()) {
      const url = new URL(broker.server.endpoints.authorization);
      url.searchParams.set(name, type);
      const connection = `type-${type.replace(' ', '-')}-${index}`;
      await createConnection(broker, connection, { authorization_url: url.href });
      await expectCode(connection);
      const beside = await create(
        broker.connectionBody(`${connection}-beside`, { extra_authorize_params: { [name]: type } }),
      );
      if (beside.status === 201) await expectCode(`${connection}-beside`);
      else expect(beside).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
    }
  });

  it.each(['grant_type', 'Grant_Type', ' grant_type'])('sends another grant than its own by %j', async (name) => {
    const connection = `grant-${name.trim()}-${name.length}`;
    const body = broker.connectionBody(connection, {
      oauth_flow_type: 'client_credentials',
      authorization_url: null,
      token_url: `${endpoint.url}/token`,
      extra_token_params: { [name]: 'password', username: 'ann', password: 'hers' },
    });
    const made = await create(body);
    if (made.status !== 201) {
      expect(made).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
      return;
    }
    await broker.call('GET', `/api/oauth/credentials/${connection}`);
    const sent = endpoint.requests.at(-1) ?? '';
    expect(sent).toContain('grant_type=client_credentials');
    expect(sent).not.toContain('grant_type=password');
  });
});

describe('S-21 what a caller says when an authorization begins', () => {
  it.each([
    'client_id',
    'redirect_uri',
    'response_type',
    'state',
    'scope',
    'code_challenge',
    'code_challenge_method',
    'nonce',
    'resource',
    'request',
    'request_uri',
    'extra_authorize_params',
  ])('cannot name %s: 400, and nothing is pending', async (name) => {
    const connection = `says-${name.replaceAll('_', '-')}`;
    await createConnection(broker, connection);
    const answer = await broker.call('POST', `/api/oauth/connections/${connection}/authorize`, {
      body: { [name]: 'evil' },
    });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed', details: [{ path: name }] } });
    expect((await detailOf(broker, connection)).json.pending_authorization).toBe(false);
  });

  it('cannot smuggle one in by login_hint, prompt or scopes', async () => {
    await createConnection(broker, 'smuggled', { scopes: 'read' });
    const hostile = 'a&redirect_uri=https://evil.example&state=evil#&client_id=evil';
    const body = { login_hint: hostile, prompt: hostile };
    const asked = new URL((await begin(broker, 'smuggled', body)).authorization_url).searchParams;
    expect([asked.get('login_hint'), asked.get('prompt')]).toEqual([hostile, hostile]);
    for (const name of ['client_id', 'redirect_uri', 'state', 'scope', 'response_type']) {
      expect(asked.getAll(name)).toHaveLength(1);
      expect(asked.get(name)).not.toContain('evil');
    }
    const wider = { body: { scopes: 'read admin' } };
    expect((await broker.call('POST', '/api/oauth/connections/smuggled/authorize', wider)).status).toBe(400);
  });
});
