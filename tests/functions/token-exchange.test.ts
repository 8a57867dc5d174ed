import { generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { everythingKept } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { createConnection, credentialsOf } from './support/authorizing.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const keys = await generateKeyPair('ES256');
const seen: Record<string, unknown>[] = [];

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({
    server: {
      clients: [
        {
          client_id: 'exchanger',
          client_secret: 'exchanger-secret',
          redirect_uris: [],
          response_types: [],
          grant_types: [grantType],
        },
      ],
    },
  });
  // A real token endpoint, with the client authenticated: only what is exchanged for what is the test's own.
  broker.server.provider.registerGrantType(
    grantType,
    async (ctx) => {
      const params = { ...ctx.oidc.params };
      seen.push(params);
      try {
        const { payload } = await jwtVerify(String(params.subject_token), keys.publicKey);
        ctx.body = {
          access_token: `at-of-${payload.sub}`,
          issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          token_type: 'Bearer',
          expires_in: 60,
          refresh_token: 'rt-nobody-needs',
        };
      } catch {
        ctx.status = 400;
        ctx.body = { error: 'invalid_request', error_description: `bad ${params.subject_token}` };
      }
    },
    ['subject_token', 'subject_token_type', 'requested_token_type', 'audience', 'resource', 'scope'],
    ['audience', 'resource'],
  );
  await createConnection(broker, 'exchange', {
    oauth_flow_type: 'token_exchange',
    client_id: 'exchanger',
    client_secret: 'exchanger-secret',
    authorization_url: null,
    scopes: 'read write',
  });
});
afterAll(() => broker.stop());
beforeEach(() => void seen.splice(0));

const subject = (name: string) => new SignJWT({ sub: name }).setProtectedHeader({ alg: 'ES256' }).sign(keys.privateKey);
const exchange = (body: unknown, name = 'exchange') => broker.call('POST', `/api/oauth/credentials/${name}`, { body });

it('exchanges each caller’s token for one of their own, and keeps nothing of either', async () => {
  const before = await everythingKept(broker);
  const [ann, ben] = await Promise.all([subject('ann'), subject('ben')]);
  const answers = await Promise.all([ann, ben, ann].map((subject_token) => exchange({ subject_token })));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(answers.map(({ json }) => json.access_token)).toEqual(['at-of-ann', 'at-of-ben', 'at-of-ann']);
  expect(seen).toHaveLength(3);
  expect(answers[0]?.json).toMatchObject({ method: 'token_exchange', token_type: 'Bearer', scopes: 'read write' });
  expect(answers[0]?.text).not.toContain('rt-nobody-needs');
  expect(await everythingKept(broker)).toEqual(before);
  expect(broker.lines.join()).not.toContain(ann);
});

it('passes on what the caller asks for', async () => {
  const subject_token = await subject('ann');
  const answer = await exchange({
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'reports',
    resource: 'https://api.example.com',
    scope: 'read',
  });
  expect(answer.json).toMatchObject({ scopes: 'read', access_token: 'at-of-ann' });
  expect(seen[0]).toMatchObject({
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'reports',
    resource: 'https://api.example.com',
    scope: 'read',
  });
});

it('answers 503 where the provider refuses the token, which stays out of answer and log', async () => {
  const answer = await exchange({ subject_token: 'forged-by-somebody' });
  expect(answer.status).toBe(503);
  expect(answer.json.error).toBe('provider_rejected_request');
  expect(answer.text).not.toContain('forged-by-somebody');
  expect(broker.lines.join()).not.toContain('forged-by-somebody');
});

it('answers 400 to scopes that the connection does not have, and asks nobody', async () => {
  const answer = await exchange({ subject_token: 'x', scope: 'read admin' });
  expect(answer.status).toBe(400);
  expect(answer.json.details).toEqual([
    { path: 'scope', message: 'may name only scopes of the connection, not admin' },
  ]);
  expect(seen).toEqual([]);
});

it('answers 400 for a connection of another flow, and 404 for none', async () => {
  await createConnection(broker, 'code');
  const other = await exchange({ subject_token: 'x' }, 'code');
  expect(other.status).toBe(400);
  expect(other.json).toMatchObject({
    error: 'exchange_not_applicable',
    message: 'A connection of type authorization_code exchanges no tokens. Ask for credentials with GET.',
  });
  expect((await exchange({ subject_token: 'x' }, 'absent')).status).toBe(404);
});

it('records the workflow, and refuses one that is disabled', async () => {
  await broker.call('POST', '/api/oauth/workflows/off/disable', { body: { reason: 'test' } });
  const answer = await broker.call('POST', '/api/oauth/credentials/exchange', {
    body: { subject_token: await subject('ann') },
    headers: { 'x-workflow-id': 'off' },
  });
  expect([answer.status, answer.json.error]).toEqual([403, 'workflow_disabled']);
});

it('has no token of its own to read, import or get at once, and says what to do', async () => {
  const read = await credentialsOf(broker, 'exchange');
  expect(read.status).toBe(503);
  expect(read.json.message).toMatch('POST /api/oauth/credentials/exchange with a subject_token');
  const imported = await broker.call('POST', '/api/oauth/connections/exchange/tokens', { body: { access_token: 'a' } });
  expect(imported.status).toBe(400);
});
