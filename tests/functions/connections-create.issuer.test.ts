import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const client = () => {
  const { clientId, clientSecret } = broker.server.clients.basic;
  return { oauth_flow_type: 'authorization_code', client_id: clientId, client_secret: clientSecret };
};
const create = (body: Readonly<Record<string, unknown>>) =>
  broker.call('POST', '/api/oauth/connections', { body: { ...client(), ...body } });

it('an issuer alone gives the endpoints, and the connection authorizes at them', async () => {
  const { issuer, endpoints } = broker.server;
  const created = await create({ connection_name: 'by-issuer', issuer, scopes: 'openid' });
  expect(created).toMatchObject({
    status: 201,
    json: { issuer, authorization_url: endpoints.authorization, token_url: endpoints.token, provider: null },
  });
  const started = await broker.call('POST', '/api/oauth/connections/by-issuer/authorize', { body: {} });
  expect(started.json.authorization_url).toContain(`${endpoints.authorization}?`);
});

it('the catalogue’s entry for any OpenID Connect server is filled from its issuer', async () => {
  const { issuer, endpoints } = broker.server;
  const created = await create({ connection_name: 'by-entry', provider: 'oidc', variables: { issuer } });
  expect(created).toMatchObject({
    status: 201,
    json: {
      provider: 'oidc',
      variables: { issuer },
      token_url: endpoints.token,
      scopes: expect.stringContaining('openid'),
    },
  });
});

it('an issuer that differs from its metadata by a slash makes no connection', async () => {
  const refused = await create({ connection_name: 'by-slash', issuer: `${broker.server.issuer}/` });
  expect(refused).toMatchObject({ json: { error: 'provider_answer_invalid' } });
  expect((await broker.call('GET', '/api/oauth/connections/by-slash')).status).toBe(404);
});

it('what a provider gives cannot be given beside it, nor a variable that it does not know', async () => {
  const refused = await create({
    connection_name: 'by-both',
    provider: 'oidc',
    variables: { issuer: broker.server.issuer, host: 'x' },
    token_url: 'https://login.example.com/token',
  });
  expect(refused).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  expect(refused.json.details.map(({ path }: { path: string }) => path)).toEqual(['variables.host', 'token_url']);
});

it('a provider that is not in the catalogue is named as the fault', async () => {
  const refused = await create({ connection_name: 'by-nobody', provider: 'nobody' });
  expect(refused).toMatchObject({ status: 400, json: { details: [{ path: 'provider' }] } });
});
