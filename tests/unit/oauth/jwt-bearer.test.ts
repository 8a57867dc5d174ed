import { type CryptoKey, exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ProviderJwt } from '../../../src/domain/provider.ts';
import { type ClientChanges, clientWith, json, now, providerAnswering } from './clients.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const jwt: ProviderJwt = {
  style: 'assertion',
  algorithm: 'RS256',
  issuer: '{client_id}',
  subject: 'ada@example.com',
  audience: 'https://provider.example/token',
  scopesIn: 'claim',
  authenticatesClient: false,
  lifeSeconds: 3600,
};

let publicKey: CryptoKey;
let signingKey: Readonly<Record<string, unknown>>;
beforeAll(async () => {
  const pair = await generateKeyPair('RS256', { extractable: true });
  publicKey = pair.publicKey;
  signingKey = { ...(await exportJWK(pair.privateKey)), alg: 'RS256' };
});

async function minted(changes: ClientChanges = {}) {
  const { server, sent } = providerAnswering(() => json({ access_token: 'at-1', refresh_token: 'rt', expires_in: 60 }));
  const client = clientWith({ flowType: 'jwt_bearer', clientAuth: 'none', secret: null, signingKey, ...changes });
  const tokenSet = await server.mint(client);
  const [request] = sent;
  if (request === undefined) throw new Error('nothing was sent');
  const bearer = request.headers.get('authorization')?.replace('Bearer ', '');
  const { assertion = bearer ?? '', ...form } = Object.fromEntries(request.form);
  const verified = await jwtVerify(assertion, publicKey, { currentDate: new Date(now) });
  return { request, form, tokenSet, header: verified.protectedHeader, claims: verified.payload };
}

const iat = now / 1000 - 60;

describe('an assertion as a grant', () => {
  test('is signed, good once and for a while, and goes alone where it names the client', async () => {
    const { form, header, claims, tokenSet } = await minted({ profile: { jwt } });
    expect(form).toEqual({ grant_type: grantType });
    expect(header).toEqual({ alg: 'RS256', typ: 'JWT' });
    expect(claims).toEqual({
      iss: 'app',
      sub: 'ada@example.com',
      aud: 'https://provider.example/token',
      scope: 'read write',
      jti: 'random-id',
      iat,
      exp: iat + 3600,
    });
    expect(tokenSet.tokens.accessToken?.reveal()).toBe('at-1');
    expect(tokenSet.tokens.refreshToken).toBeNull();
  });

  test('names its key where the key has a name', async () => {
    const { header } = await minted({ profile: { jwt }, signingKey: { ...signingKey, kid: 'k-7' } });
    expect(header.kid).toBe('k-7');
  });

  test('leaves scopes to the request, or out, as the provider has it; so it does with the subject', async () => {
    const asked = await minted({ profile: { jwt: { ...jwt, scopesIn: 'parameter', subject: null } } });
    expect(asked.form).toEqual({ grant_type: grantType, scope: 'read write' });
    expect(Object.keys(asked.claims).sort()).toEqual(['aud', 'exp', 'iat', 'iss', 'jti']);
    const nowhere = await minted({ profile: { jwt: { ...jwt, scopesIn: 'nowhere' } } });
    expect(nowhere.form).toEqual({ grant_type: grantType });
    expect(nowhere.claims.scope).toBeUndefined();
  });

  test('of a provider that nobody described is by and about the client, for the token endpoint', async () => {
    const { form, claims } = await minted({ clientAuth: 'client_secret_post', secret: 's' });
    expect(form).toEqual({ grant_type: grantType, scope: 'read write', client_id: 'app', client_secret: 's' });
    expect(claims).toMatchObject({ iss: 'app', sub: 'app', aud: 'https://provider.example/token' });
  });
});

test('an assertion as the authorization is sent with a POST of JSON', async () => {
  const { request, claims } = await minted({
    profile: { jwt: { ...jwt, style: 'bearer', subject: null, scopesIn: 'nowhere', lifeSeconds: 540 } },
    extraTokenParams: { target: 'x' },
  });
  expect(request.method).toBe('POST');
  expect(request.text).toBe('{"target":"x"}');
  expect(request.headers.get('content-type')).toBe('application/json');
  expect(claims).toEqual({ iss: 'app', aud: 'https://provider.example/token', jti: 'random-id', iat, exp: iat + 540 });
});

test.each([
  ['no key', null],
  ['a key without an algorithm', { kty: 'oct', k: 'AAAA' }],
  ['something else than a key', { alg: 'RS256', kty: 'RSA' }],
])('with %s nothing is sent, and the key is not repeated', async (_title, key) => {
  const { server, sent } = providerAnswering(() => json({}));
  const client = clientWith({ flowType: 'jwt_bearer', clientAuth: 'none', signingKey: key, profile: { jwt } });
  await expect(server.mint(client)).rejects.toMatchObject({
    code: 'provider_rejected_client',
    message: expect.stringMatching(/^The (connection has no key|key that the connection)/),
  });
  expect(sent).toEqual([]);
});

test('a refused assertion is no dead grant: there is nobody to ask', async () => {
  const { server } = providerAnswering(() => json({ error: 'invalid_grant' }, 400));
  const client = clientWith({ flowType: 'jwt_bearer', clientAuth: 'none', signingKey, profile: { jwt } });
  await expect(server.mint(client)).rejects.toMatchObject({
    code: 'provider_rejected_request',
    message:
      'The provider rejected the request (invalid_grant). Check client_id, private_key, the variables and the scopes.',
  });
});
