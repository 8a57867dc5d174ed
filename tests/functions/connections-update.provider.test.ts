import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
  const { clientId, clientSecret } = broker.server.clients.service;
  const body = {
    connection_name: 'crm',
    oauth_flow_type: 'client_credentials',
    provider: 'oidc',
    variables: { issuer: broker.server.issuer },
    client_id: clientId,
    client_secret: clientSecret,
    scopes: 'read',
  };
  expect((await broker.call('POST', '/api/oauth/connections?connect=true', { body })).json.status).toBe('completed');
});
afterAll(() => broker.stop());

const change = (body: Readonly<Record<string, unknown>>) => broker.call('PUT', '/api/oauth/connections/crm', { body });

it('a change of a label asks no issuer, and keeps the tokens', async () => {
  const before = broker.server.tokens.requests.length;
  const changed = await change({ description: 'Contacts' });
  expect(changed).toMatchObject({ status: 200, json: { status: 'completed', description: 'Contacts' } });
  expect(broker.server.tokens.requests).toHaveLength(before);
});

it('another issuer is another authorization server: its metadata counts, and the secret is needed again', async () => {
  const variables = { issuer: `${broker.server.issuer}/other` };
  expect(await change({ variables })).toMatchObject({ json: { error: 'provider_answer_invalid' } });
  expect((await broker.call('GET', '/api/oauth/connections/crm')).json.status).toBe('completed');
});

it('an endpoint that the provider gives cannot be put in its place', async () => {
  const refused = await change({ token_url: 'https://login.example.com/token' });
  expect(refused).toMatchObject({ status: 400, json: { details: [{ path: 'token_url' }] } });
});
