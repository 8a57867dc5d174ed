import { exportJWK, generateKeyPair, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import type { ClientAuthMethod } from '../../../src/domain/connection.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { type ClientChanges, clientWith, type FakeProvider, now, providerAnswering } from './clients.ts';

const answering = (options = {}): FakeProvider =>
  providerAnswering(() => Response.json({ access_token: 'at-1', token_type: 'Bearer' }), options);

async function refreshed(changes: ClientChanges) {
  const { server, sent } = answering();
  await server.refresh(clientWith(changes), new Secret('the-refresh-token'));
  const [request] = sent;
  if (request === undefined) throw new Error('nothing was sent');
  return { header: request.headers.get('authorization'), form: Object.fromEntries(request.form), url: request.url };
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const refreshForm = { grant_type: 'refresh_token', refresh_token: 'the-refresh-token' };

describe('the client authenticates', () => {
  test.each([
    ['plain', 'app', 'secret', 'app:secret', 'app:secret'],
    ['colon, percent and plus', 'a:b', 'p%+q', 'a%3Ab:p%25%2Bq', 'a:b:p%+q'],
    ['space and slash', 'my app', 'a/b c', 'my+app:a%2Fb+c', 'my app:a/b c'],
    ['signs that RFC 6749 encodes too', 'a-b_c.d', "~!*'()", 'a%2Db%5Fc%2Ed:%7E%21%2A%27%28%29', "a-b_c.d:~!*'()"],
    ['outside ASCII', 'é', '€', '%C3%A9:%E2%82%AC', 'é:€'],
  ])('with Basic, encoded and raw: %s', async (_title, clientId, secret, encoded, raw) => {
    const encodedCall = await refreshed({ clientAuth: 'client_secret_basic', clientId, secret });
    expect(encodedCall).toMatchObject({ header: basic(encoded), form: refreshForm });
    expect(encodedCall.form).toEqual(refreshForm);
    const rawCall = await refreshed({ clientAuth: 'client_secret_basic_raw', clientId, secret });
    expect(rawCall.header).toBe(basic(raw));
    expect(rawCall.form).toEqual(refreshForm);
  });

  test('with its secret as the user name of Basic, and no password, with client_secret_basic_as_user', async () => {
    const { header, form } = await refreshed({ clientAuth: 'client_secret_basic_as_user', secret: 'sk_test%+1' });
    expect(header).toBe(basic('sk_test%+1:'));
    expect(form).toEqual(refreshForm);
  });

  test('in the body with client_secret_post, and nowhere else', async () => {
    const { header, form, url } = await refreshed({ clientAuth: 'client_secret_post', secret: 'p%+q é' });
    expect(form).toEqual({ ...refreshForm, client_id: 'app', client_secret: 'p%+q é' });
    expect(header).toBeNull();
    expect(url).toBe('https://provider.example/token');
  });

  test('with its id alone when it is public, whatever secret there is', async () => {
    const { header, form } = await refreshed({ clientAuth: 'none', secret: 'unused' });
    expect(form).toEqual({ ...refreshForm, client_id: 'app' });
    expect(header).toBeNull();
  });

  test.each([
    'client_secret_basic',
    'client_secret_basic_raw',
    'client_secret_basic_as_user',
    'client_secret_post',
  ] as const)('%s without a secret sends nothing and says what is missing', async (clientAuth: ClientAuthMethod) => {
    const { server, sent } = answering();
    await expect(server.refresh(clientWith({ clientAuth, secret: null }), new Secret('r'))).rejects.toMatchObject({
      code: 'provider_rejected_client',
      message: `The connection has no client secret, which ${clientAuth} needs. Set one.`,
    });
    expect(sent).toEqual([]);
  });

  test('private_key_jwt without a key sends nothing and says what to do', async () => {
    const { server, sent } = answering();
    await expect(server.mint(clientWith({ clientAuth: 'private_key_jwt' }))).rejects.toMatchObject({
      code: 'provider_rejected_client',
      message: 'The connection has no key to sign with. Set private_key.',
    });
    expect(sent).toEqual([]);
  });

  test.each([
    [null, 'https://provider.example/token'],
    ['https://provider.example', 'https://provider.example'],
  ])('private_key_jwt signs an assertion: issuer %s, audience %s', async (issuer, audience) => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const signingKey = { ...(await exportJWK(privateKey)), alg: 'ES256', kid: 'k1' };
    const { server, sent } = answering();
    await server.mint(clientWith({ clientAuth: 'private_key_jwt', endpoints: { issuer }, signingKey }));
    const assertion = sent[0]?.form.get('client_assertion') ?? '';
    const { protectedHeader, payload } = await jwtVerify(assertion, publicKey, { currentDate: new Date(now) });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: 'k1' });
    const iat = now / 1000 - 60;
    expect(payload).toEqual({ iss: 'app', sub: 'app', aud: audience, jti: 'random-id', iat, exp: iat + 180 });
    expect(sent[0]?.form.has('client_secret')).toBe(false);
  });
});

describe('the extra parameters of a token request', () => {
  test('are sent, and cannot speak for the protocol', async () => {
    const extraTokenParams = {
      audience: 'https://api.example',
      grant_type: 'password',
      refresh_token: 'evil',
      client_id: 'evil',
      Client_Secret: 'evil',
      scope: 'admin',
      code_verifier: 'evil',
    };
    const { form } = await refreshed({ clientAuth: 'none', extraTokenParams });
    expect(form).toEqual({ ...refreshForm, client_id: 'app', audience: 'https://api.example' });
  });

  test('client credentials ask for the connection’s scopes, with its separator', async () => {
    const { server, sent } = answering();
    await server.mint(clientWith({ scopeSeparator: 'comma', extraTokenParams: { scope: 'admin', a: 'b' } }));
    await server.mint(clientWith({ scopes: null }));
    const common = { grant_type: 'client_credentials', client_id: 'app', client_secret: 'client-secret' };
    expect(sent.map(({ form }) => Object.fromEntries(form))).toEqual([
      { ...common, scope: 'read,write', a: 'b' },
      common,
    ]);
  });

  test('a request follows no redirect and asks for JSON', async () => {
    const redirects: unknown[] = [];
    const { server } = answering({
      fetch: async (_url: string, init: RequestInit) => {
        redirects.push(init.redirect, new Headers(init.headers).get('accept'));
        return Response.json({ access_token: 'a' });
      },
    });
    await server.refresh(clientWith(), new Secret('r'));
    expect(redirects).toEqual(['manual', 'application/json']);
  });
});
