import { generateKeyPairSync } from 'node:crypto';
import { createRemoteJWKSet, exportPKCS8, generateKeyPair, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowOf, secretInVault } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { connect, credentialsOf } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';

let broker: TestBroker;
let endpoint: Endpoint;
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
  endpoint.answer('/token', { status: 200, body: { access_token: 'at-1', expires_in: 3600, refresh_token: 'rt-1' } });
});
afterAll(() => Promise.all([broker.stop(), endpoint.stop()]));

function body(name: string, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    connection_name: name,
    oauth_flow_type: 'client_credentials',
    client_id: 'app',
    client_auth: 'private_key_jwt',
    token_url: `${endpoint.url}/token`,
    ...changes,
  };
}

const create = (name: string, changes: Readonly<Record<string, unknown>> = {}) =>
  broker.call('POST', '/api/oauth/connections', { body: body(name, changes) });
const update = (name: string, changes: Readonly<Record<string, unknown>>) =>
  broker.call('PUT', `/api/oauth/connections/${name}`, { body: changes });

/** The form of the last token request, once credentials were asked for. */
async function formSent(name: string): Promise<URLSearchParams> {
  const served = await credentialsOf(broker, name, '?force_refresh=true');
  expect(served.status, served.text).toBe(200);
  return new URLSearchParams(endpoint.requests.at(-1)?.replace('/token ', ''));
}

async function assertionVerifies(name: string, jwksUri: string) {
  const assertion = (await formSent(name)).get('client_assertion') ?? '';
  const currentDate = new Date(broker.clock.now());
  return jwtVerify(assertion, createRemoteJWKSet(new URL(jwksUri)), { currentDate, audience: `${endpoint.url}/token` });
}

describe('a client that signs assertions', () => {
  it.each(['RS256', 'ES256', 'PS256'])('gets a key of its own, which its provider finds: %s', async (algorithm) => {
    const name = `own-${algorithm}`;
    const created = await create(name, { signing_algorithm: algorithm });
    expect(created.status, created.text).toBe(201);
    expect(created.json).toMatchObject({ signing_algorithm: algorithm, has_client_secret: false });
    expect(created.json.jwks_uri).toMatch(`${broker.url}/api/oauth/jwks/ORG1/${name}/`);
    const { payload, protectedHeader } = await assertionVerifies(name, created.json.jwks_uri);
    expect(payload).toMatchObject({ iss: 'app', sub: 'app' });
    const set = await broker.call('GET', new URL(created.json.jwks_uri).pathname, { key: null, org: null });
    expect(set.headers.get('cache-control')).toBe('public, max-age=300');
    expect(set.json.keys).toEqual([expect.objectContaining({ kid: protectedHeader.kid, alg: algorithm, use: 'sig' })]);
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(set.json.keys[0]).not.toHaveProperty(secret);
  });

  it('signs with the key that it is given, in PKCS#8, PKCS#1 or SEC 1, as a JWK or a file with it', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const pem = (type: 'pkcs8' | 'pkcs1') => rsa.export({ format: 'pem', type }).toString();
    const given: readonly (readonly [string, string, string | undefined])[] = [
      [pem('pkcs8'), 'RS256', undefined],
      [pem('pkcs1'), 'RS256', undefined],
      [ec.export({ format: 'pem', type: 'sec1' }).toString(), 'ES256', undefined],
      [JSON.stringify({ ...ec.export({ format: 'jwk' }), kid: 'of-the-jwk' }), 'ES256', 'of-the-jwk'],
      [JSON.stringify({ private_key: pem('pkcs8'), private_key_id: 'of-the-file' }), 'RS256', 'of-the-file'],
    ];
    for (const [index, [privateKey, algorithm, kid]] of given.entries()) {
      const name = `given-${index}`;
      const created = await create(name, { private_key: privateKey });
      expect(created.status, created.text).toBe(201);
      expect(created.text).not.toContain(privateKey.slice(30, 90));
      const { protectedHeader } = await assertionVerifies(name, created.json.jwks_uri);
      expect(protectedHeader.alg).toBe(algorithm);
      if (kid !== undefined) expect(protectedHeader.kid).toBe(kid);
    }
  });

  it('keeps the address of its keys when the key is replaced, and the old private key goes', async () => {
    const created = await create('rotated', { signing_algorithm: 'ES256' });
    const before = await rowOf(broker, 'rotated');
    const replaced = await update('rotated', { private_key: null, signing_algorithm: 'ES256' });
    expect(replaced.status, replaced.text).toBe(200);
    expect(replaced.json.jwks_uri).toBe(created.json.jwks_uri);
    await assertionVerifies('rotated', created.json.jwks_uri);
    const after = await rowOf(broker, 'rotated');
    expect(after?.signing_key_public).not.toBe(before?.signing_key_public);
    expect(await secretInVault(broker, before?.signing_key_ref)).toBe(404);
    expect(await secretInVault(broker, after?.signing_key_ref)).toBe(200);
  });

  it('leaves nothing behind when it is deleted, or authenticates otherwise', async () => {
    const created = await create('gone', { signing_algorithm: 'ES256' });
    const row = await rowOf(broker, 'gone');
    const changed = await update('gone', { client_auth: 'client_secret_post', client_secret: 's' });
    expect(changed.json).toMatchObject({ signing_algorithm: null, jwks_uri: null });
    expect(await secretInVault(broker, row?.signing_key_ref)).toBe(404);
    const path = new URL(created.json.jwks_uri).pathname;
    expect((await broker.call('GET', path, { key: null, org: null })).status).toBe(404);
    await create('gone-2', { signing_algorithm: 'ES256' });
    const other = await rowOf(broker, 'gone-2');
    await broker.call('DELETE', '/api/oauth/connections/gone-2');
    expect(await secretInVault(broker, other?.signing_key_ref)).toBe(404);
  });

  it('must be told its key again, or get a new one, when assertions would go elsewhere', async () => {
    await create('moved', { signing_algorithm: 'ES256' });
    const token_url = `${endpoint.url}/elsewhere`;
    const refused = await update('moved', { token_url });
    expect(refused.status).toBe(400);
    expect(refused.json.details).toEqual([
      {
        path: 'private_key',
        message: 'must be given again when an address that receives assertions changes; null makes a new one',
      },
    ]);
    expect((await update('moved', { token_url, private_key: null })).status).toBe(200);
  });
});

describe('jwt_bearer', () => {
  it('gets tokens for assertions by its key, and keeps no refresh token', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const created = await create('robot', {
      oauth_flow_type: 'jwt_bearer',
      client_auth: 'none',
      private_key: await exportPKCS8(privateKey),
    });
    expect(created.status, created.text).toBe(201);
    const form = await formSent('robot');
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const currentDate = new Date(broker.clock.now());
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, { currentDate });
    expect(payload).toMatchObject({ iss: 'app', sub: 'app', aud: `${endpoint.url}/token` });
    expect(protectedHeader.kid).toBeUndefined();
    const served = await credentialsOf(broker, 'robot');
    expect(served.json).toMatchObject({ access_token: 'at-1', method: 'saved_token' });
    const detail = await broker.call('GET', '/api/oauth/connections/robot');
    expect(detail.json).toMatchObject({ status: 'completed', has_refresh_token: false, redirect_uri: null });
  });

  it('of the catalogue: the provider says who signs for whom', async () => {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    const created = await broker.call('POST', '/api/oauth/connections', {
      body: {
        connection_name: 'listed',
        oauth_flow_type: 'jwt_bearer',
        provider: 'google-service-account',
        client_id: 'robot@project.example',
        private_key: await exportPKCS8(privateKey),
      },
    });
    expect(created.status, created.text).toBe(201);
    expect(created.json).toMatchObject({ signing_algorithm: 'RS256', client_auth: 'none' });
  });
});

describe('refused with 400, and nothing is kept', () => {
  it.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    ['no key', { oauth_flow_type: 'jwt_bearer', client_auth: 'none' }, 'private_key', 'is needed for jwt_bearer'],
    [
      'no private key',
      { private_key: '-----BEGIN PRIVATE KEY-----\ngarbage\n-----END PRIVATE KEY-----' },
      'private_key',
      'must be a private key without a password: PEM (PKCS#8 or PKCS#1), or a JWK',
    ],
    [
      'a key for a client that signs nothing',
      { client_auth: 'client_secret_post', client_secret: 's', private_key: 'x' },
      'private_key',
      'is for client_auth private_key_jwt and for jwt_bearer',
    ],
    [
      'a key of another kind than the algorithm',
      {
        signing_algorithm: 'RS256',
        private_key: generateKeyPairSync('ec', { namedCurve: 'P-256' })
          .privateKey.export({ format: 'pem', type: 'pkcs8' })
          .toString(),
      },
      'private_key',
      'is a key on P-256, which does not sign by RS256',
    ],
    [
      'a short key',
      {
        private_key: generateKeyPairSync('rsa', { modulusLength: 1024 })
          .privateKey.export({ format: 'pem', type: 'pkcs8' })
          .toString(),
      },
      'private_key',
      'must have at least 2048 bits',
    ],
  ])('%s', async (_title, changes, path, message) => {
    const refused = await create('refused', changes);
    expect(refused.status, refused.text).toBe(400);
    expect(refused.json).toMatchObject({ error: 'validation_failed', details: [{ path, message }] });
    expect(await rowOf(broker, 'refused')).toBeUndefined();
  });
});

describe('the address of public keys', () => {
  it('looks the same for a wrong id, another organisation and a connection that is not there: it hides existence', async () => {
    const created = await create('hidden', { signing_algorithm: 'ES256' });
    const id = created.json.jwks_uri.split('/').at(-1);
    const answers = await Promise.all(
      [
        'ORG1/hidden/0123456789abcdef0123456789abcdef',
        `ORG2/hidden/${id}`,
        `ORG1/absent/${id}`,
        'ORG1/absent/undefined',
      ].map((path) => broker.call('GET', `/api/oauth/jwks/${path}`, { key: null, org: null })),
    );
    for (const { status, json } of answers) {
      expect(status).toBe(404);
      expect({ ...json, correlation_id: '' }).toEqual({
        error: 'connection_not_found',
        message: 'There are no keys at this address.',
        correlation_id: '',
      });
    }
  });

  it('is no way to a connection without a key', async () => {
    await create('plain', { client_auth: 'client_secret_post', client_secret: 's' });
    const answer = await broker.call('GET', '/api/oauth/jwks/ORG1/plain/undefined', { key: null, org: null });
    expect(answer.status).toBe(404);
  });
});

it('a given key is accepted by a real authorization server', async () => {
  const { clientId, privateJwk } = broker.server.clients.privateKeyJwt;
  const created = await broker.call('POST', '/api/oauth/connections', {
    body: broker.connectionBody('real', {
      client_id: clientId,
      client_secret: null,
      client_auth: 'private_key_jwt',
      private_key: JSON.stringify(privateJwk),
    }),
  });
  expect(created.status, created.text).toBe(201);
  await connect(broker, 'real');
  expect((await credentialsOf(broker, 'real', '?force_refresh=true')).json).toMatchObject({ method: 'refreshed' });
});
