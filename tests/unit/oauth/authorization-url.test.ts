import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import type { AuthorizationRequest } from '../../../src/ports/authorization-server.ts';
import { type ClientChanges, clientWith, providerAnswering } from './clients.ts';

/** RFC 7636 appendix B. */
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';

const request: AuthorizationRequest = {
  redirectUri: 'https://broker.example/api/oauth/callback/crm',
  codeVerifier: new Secret(verifier),
  nonce: new Secret('the-nonce'),
  scopes: 'read,write',
  loginHint: null,
  prompt: null,
};

const { server } = providerAnswering(() => Promise.reject(new Error('nothing is sent')));

async function urlOf(changes: ClientChanges = {}, more: Partial<AuthorizationRequest> = {}): Promise<URL> {
  return new URL(await server.authorizationUrl(clientWith(changes), { ...request, ...more }));
}

async function parametersOf(...given: Parameters<typeof urlOf>): Promise<Record<string, string[]>> {
  const { searchParams } = await urlOf(...given);
  return Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]));
}

const plain = {
  response_type: ['code'],
  client_id: ['app'],
  redirect_uri: ['https://broker.example/api/oauth/callback/crm'],
  scope: ['read write'],
  code_challenge: [challenge],
  code_challenge_method: ['S256'],
};

describe('the authorization URL', () => {
  test('asks for a code, with PKCE by S256 and without state', async () => {
    expect(await parametersOf()).toEqual(plain);
  });

  test('never shows the verifier', async () => {
    expect((await urlOf()).href).not.toContain(verifier);
  });

  test('separates scopes by comma where the provider wants it', async () => {
    expect((await parametersOf({ scopeSeparator: 'comma' })).scope).toEqual(['read,write']);
  });

  test('has no scope where none is asked for', async () => {
    expect(await parametersOf({}, { scopes: null })).not.toHaveProperty('scope');
  });

  test('has a nonce with openid only', async () => {
    expect((await parametersOf({}, { scopes: 'openid read' })).nonce).toEqual(['the-nonce']);
    expect(await parametersOf({}, { scopes: 'openidx' })).not.toHaveProperty('nonce');
  });

  test('carries login_hint and prompt, and the request wins over the configuration', async () => {
    const extraAuthorizeParams = { prompt: 'consent', access_type: 'offline' };
    expect(await parametersOf({ extraAuthorizeParams })).toMatchObject({
      prompt: ['consent'],
      access_type: ['offline'],
    });
    const asked = await parametersOf({ extraAuthorizeParams }, { loginHint: 'a@x.example', prompt: 'login' });
    expect(asked).toMatchObject({ prompt: ['login'], login_hint: ['a@x.example'] });
  });

  test('keeps the query that the connection gives, and drops a fragment', async () => {
    const url = await urlOf({ endpoints: { authorizationUrl: 'https://provider.example/a?tenant=1&x=%26#frag' } });
    expect(url.searchParams.get('tenant')).toBe('1');
    expect(url.searchParams.get('x')).toBe('&');
    expect(url.hash).toBe('');
  });

  test.each([
    'client_id',
    'redirect_uri',
    'response_type',
    'state',
    'scope',
    'code_challenge',
    'code_challenge_method',
    'nonce',
    'request',
    'request_uri',
    'Client_Id',
    ' state',
  ])('is deaf to %s from the configuration', async (name) => {
    expect(await parametersOf({ extraAuthorizeParams: { [name]: 'evil' } })).toEqual(plain);
    const query = new URLSearchParams([
      [name, 'evil'],
      [name, 'worse'],
    ]);
    expect(await parametersOf({ endpoints: { authorizationUrl: `https://provider.example/a?${query}` } })).toEqual(
      plain,
    );
  });

  test('takes the other parameters of the configuration, from the URL or beside it', async () => {
    const said = { resource: 'https://api.example', response_mode: 'form_post' };
    expect(await parametersOf({ extraAuthorizeParams: said })).toMatchObject({
      resource: ['https://api.example'],
      response_mode: ['form_post'],
    });
    const authorizationUrl = 'https://provider.example/a?resource=https%3A%2F%2Fapi.example';
    expect((await parametersOf({ endpoints: { authorizationUrl } })).resource).toEqual(['https://api.example']);
  });

  test.each([42, 129])('is not made with a verifier of %i characters', async (length) => {
    await expect(urlOf({}, { codeVerifier: new Secret('a'.repeat(length)) })).rejects.toThrow('43 to 128');
  });

  test.each([43, 64, 128])('is made with a verifier of %i characters', async (length) => {
    const made = await parametersOf({}, { codeVerifier: new Secret('a'.repeat(length)) });
    expect(made.code_challenge?.[0]).toHaveLength(43);
  });
});
