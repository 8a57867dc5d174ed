import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Provider } from '../../../../src/domain/provider.ts';
import { type MockProviders, startMockProviders } from '../../../../src/host/services/mock-providers/index.ts';
import { knownProviders } from '../../../../src/providers/known-providers.ts';
import { standIns } from '../../../../src/providers/stand-ins/stand-ins.ts';

const callback = 'http://127.0.0.1:1/api/oauth/callback/crm';
const verifier = 'v'.repeat(43);
const challenge = createHash('sha256').update(verifier).digest('base64url');

let now = 0;
let mock: MockProviders;
beforeAll(async () => {
  mock = await startMockProviders({
    catalogue: knownProviders,
    standIns,
    now: () => now,
    callbackPrefix: () => 'http://127.0.0.1:1/api/oauth/callback/',
  });
});
afterAll(() => mock.stop());
beforeEach(() => {
  now = Date.UTC(2026, 0, 12);
});

type Form = Readonly<Record<string, string>>;

function authorize(provider: string, changes: Form = {}, init: RequestInit = {}): Promise<Response> {
  const fixed = Object.entries(knownProviders.get(provider)?.requests.authorizeParams ?? {});
  const own = Object.fromEntries(fixed.filter(([, value]) => !value.includes('{')));
  const all = {
    response_type: 'code',
    client_id: mock.clientId,
    redirect_uri: callback,
    state: 'st',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...own,
    ...changes,
  };
  const kept = Object.entries(all).filter(([, value]) => value !== '');
  return fetch(`${mock.url}/${provider}/authorize?${new URLSearchParams(kept)}`, { redirect: 'manual', ...init });
}

async function codeOf(provider: string, changes: Form = {}): Promise<string> {
  const answer = await authorize(provider, { auto: 'allow', ...changes });
  const location = new URL(answer.headers.get('location') ?? `failed:${await answer.text()}`);
  return location.searchParams.get(knownProviders.get(provider)?.requests.codeParam ?? 'code') ?? '';
}

interface Answer {
  readonly status: number;
  readonly detail: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came
  readonly json: any;
}

async function token(provider: string, form: Form, headers: Form = {}): Promise<Answer> {
  const credentials = headers.authorization === undefined ? secretInBody() : {};
  const body = new URLSearchParams({ ...credentials, ...form });
  const answer = await fetch(`${mock.url}/${provider}/token`, { method: 'POST', body, headers });
  const text = await answer.text();
  const json = text.startsWith('{') ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text));
  return { status: answer.status, detail: answer.headers.get('x-stand-in-detail'), json };
}

const secretInBody = () => ({ client_id: mock.clientId, client_secret: mock.clientSecret });

async function redeem(provider: string, changes: Form = {}, headers: Form = {}, code?: string): Promise<Answer> {
  const form = { grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier };
  return token(provider, { ...form, code: code ?? (await codeOf(provider)), ...changes }, headers);
}

const refresh = (provider: string, refreshToken: string, changes: Form = {}) =>
  token(provider, { grant_type: 'refresh_token', refresh_token: refreshToken, ...changes });

describe('a stand-in redeems a code', () => {
  it('once, and a second time ends what came of it', async () => {
    const code = await codeOf('linear');
    const first = await redeem('linear', {}, {}, code);
    expect(first).toMatchObject({ status: 200, json: { expires_in: 30 } });
    expect(await redeem('linear', {}, {}, code)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await refresh('linear', first.json.refresh_token)).toMatchObject({ detail: 'the grant has ended' });
  });

  it('within a minute', async () => {
    const code = await codeOf('linear');
    now += 60_000;
    expect(await redeem('linear', {}, {}, code)).toMatchObject({ status: 400, detail: 'the code has lapsed' });
  });

  it.each([
    ['another redirect URI', { redirect_uri: `${callback}2` }, 'redirect_uri is not that of the authorization'],
    ['no redirect URI', { redirect_uri: '' }, 'redirect_uri is not that of the authorization'],
    ['another verifier', { code_verifier: 'w'.repeat(43) }, 'code_verifier does not fit'],
    ['a code of nobody', { code: 'x' }, 'no such code'],
    ['a grant that it does not have', { grant_type: 'password' }, 'the provider has no such grant'],
    ['a wrong secret', { client_secret: 'x' }, 'wrong client_secret'],
    ['another client', { client_id: 'x' }, 'no such client_id'],
  ])('but not with %s', async (_what, changes, detail) => {
    const answer = await redeem('linear', changes);
    expect(answer).toMatchObject({ detail });
    expect(answer.json).not.toHaveProperty('access_token');
  });

  it('of itself only', async () => {
    expect(await redeem('gitlab', {}, {}, await codeOf('linear'))).toMatchObject({ detail: 'no such code' });
  });
});

describe('a stand-in authenticates the client in its provider’s way', () => {
  const basic = (id: string, secret: string) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` });
  const encoded = (text: string) => encodeURIComponent(text).replaceAll('-', '%2D').replaceAll('_', '%5F');

  it('decodes HTTP Basic where it is to be encoded, and only there', async () => {
    const plain = basic(mock.clientId, mock.clientSecret);
    const escaped = basic(encoded(mock.clientId), encoded(mock.clientSecret));
    expect(mock.clientSecret).not.toBe(encoded(mock.clientSecret));
    expect(await redeem('xero', {}, escaped)).toMatchObject({ status: 200 });
    expect(await redeem('zoom', {}, plain)).toMatchObject({ status: 200 });
    expect(await redeem('github', {}, plain)).toMatchObject({ json: { error: 'incorrect_client_credentials' } });
  });

  it('refuses a secret in the body where it belongs into the header, and in both', async () => {
    expect(await redeem('zoom')).toMatchObject({ status: 400, json: { error: 'invalid_client' } });
    const both = await redeem('xero', secretInBody(), basic(mock.clientId, mock.clientSecret));
    expect(both).toMatchObject({ json: { error: 'invalid_client' }, detail: 'credentials in header and body' });
  });

  it('wants the body, the header and the names that its provider wants', async () => {
    expect(await redeem('notion', {}, basic(mock.clientId, mock.clientSecret))).toMatchObject({
      status: 400,
      json: { code: 'validation_error' },
      detail: 'the header notion-version is wrong',
    });
    const versioned = { ...basic(mock.clientId, mock.clientSecret), 'notion-version': '2022-06-28' };
    expect(await redeem('notion', {}, versioned)).toMatchObject({ detail: 'the body must be application/json' });
    expect((await authorize('tiktok', { auto: 'allow' })).status).toBe(400);
    expect((await authorize('tiktok', { auto: 'allow', client_id: '', client_key: mock.clientId })).status).toBe(303);
  });

  it('sends a form to whoever does not ask for JSON, and errors with status 200, where its provider does', async () => {
    const code = await codeOf('github');
    const body = new URLSearchParams({ ...secretInBody(), grant_type: 'authorization_code', code: 'x' });
    const plain = await fetch(`${mock.url}/github/token`, { method: 'POST', body });
    expect(plain.headers.get('content-type')).toContain('x-www-form-urlencoded');
    expect(plain.status).toBe(200);
    expect(await plain.text()).toContain('error=bad_verification_code');
    const asked = await redeem('github', {}, { accept: 'application/json' }, code);
    expect(asked.json).toMatchObject({ token_type: 'bearer', access_token: expect.stringMatching(/^gho_/) });
  });
});

describe('a stand-in asks a person', () => {
  it('on a page that can be clicked', async () => {
    const page = await authorize('google', { scope: 'openid email' });
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toContain('Mock Google');
    for (const shown of ['alice@example.com', 'bob@example.com', 'value="email"', 'Deny'])
      expect(html).toContain(shown);
    const clicked = new URLSearchParams({ decision: 'allow', person: '2', granted: 'openid' });
    const answer = await authorize('google', { scope: 'openid email' }, { method: 'POST', body: clicked });
    const location = new URL(answer.headers.get('location') ?? '');
    expect(location.href.startsWith(`${callback}?code=`)).toBe(true);
    expect(location.searchParams.get('state')).toBe('st');
    const issued = await redeem('google', {}, {}, location.searchParams.get('code') ?? '');
    expect(issued.json).toMatchObject({ scope: 'openid', refresh_token: expect.any(String) });
    const claims = JSON.parse(Buffer.from(issued.json.id_token.split('.')[1], 'base64url').toString());
    expect(claims).toMatchObject({ sub: 'bob-2', iss: `${mock.url}/google`, aud: mock.clientId });
  });

  it.each([
    ['a redirect URI elsewhere', { redirect_uri: 'https://evil.example/callback' }],
    ['a redirect URI that climbs', { redirect_uri: `${callback}/../../../x` }],
    ['another client', { client_id: 'x' }],
    ['no state', { state: '' }],
    ['a plain challenge', { code_challenge_method: 'plain' }],
    ['scopes with commas', { scope: 'a,b' }],
  ])('but sends nobody anywhere with %s', async (_what, changes) => {
    const answer = await authorize('google', { auto: 'allow', ...changes });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('location')).toBeNull();
  });

  it('where the provider knows the redirect URI by a name', async () => {
    const named = { redirect_uri: 'Acme-RuName' };
    expect(await (await authorize('ebay', named)).text()).toContain('name="return_to"');
    const answer = await authorize('ebay', { ...named, auto: 'allow', return_to: callback });
    expect(answer.headers.get('location')).toContain(`${callback}?code=`);
  });

  it('who may refuse', async () => {
    const answer = await authorize('slack', { auto: 'deny' });
    expect(answer.headers.get('location')).toBe(`${callback}?error=access_denied&state=st`);
  });
});

describe('a stand-in rotates refresh tokens as its entry says', () => {
  const first = async (provider: string, changes: Form = {}): Promise<string> =>
    (await redeem(provider, {}, {}, await codeOf(provider, changes))).json.refresh_token;

  it('strict: a spent one ends the grant', async () => {
    const old = await first('linear');
    const { json } = await refresh('linear', old);
    expect(json.refresh_token).not.toBe(old);
    expect(await refresh('linear', old)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(await refresh('linear', json.refresh_token)).toMatchObject({ detail: 'the grant has ended' });
  });

  it('overlap: the old one stays good for a while', async () => {
    const old = await first('atlassian', { scope: 'read:me offline_access' });
    expect((await refresh('atlassian', old)).status).toBe(200);
    now += 599_000;
    expect((await refresh('atlassian', old)).status).toBe(200);
    now += 2000;
    expect(await refresh('atlassian', old)).toMatchObject({ status: 403, json: { error: 'invalid_grant' } });
  });

  it('none: the answer has no refresh token, and the old one stays', async () => {
    const old = await first('google');
    for (let round = 0; round < 2; round += 1) {
      const { status, json } = await refresh('google', old);
      expect(status).toBe(200);
      expect(json).not.toHaveProperty('refresh_token');
    }
  });

  it('only to those who asked to stay: by scope, by parameter', async () => {
    expect(await first('atlassian', { scope: 'read:me' })).toBeUndefined();
    const issued = await redeem('shopify', { expiring: '1' });
    expect(issued.json.refresh_token).toMatch(/^shprt_/);
    expect((await redeem('shopify')).json).not.toHaveProperty('refresh_token');
  });

  it('with the redirect URI again where its provider wants it', async () => {
    const old = await first('gitlab');
    expect((await refresh('gitlab', old)).status).toBe(400);
    expect((await refresh('gitlab', old, { redirect_uri: callback })).status).toBe(200);
  });
});

describe('the stand-ins', () => {
  const entries: readonly Provider[] = knownProviders.list();

  it('stand in for every provider, at addresses that do not leave this machine', () => {
    for (const { id, endpoints, variables } of mock.catalogue.list()) {
      const real = knownProviders.get(id);
      for (const [name, url] of Object.entries(endpoints)) {
        if (url) expect(url.startsWith(`${mock.url}/${id}`), `${id} ${name}`).toBe(true);
        expect(url === null || name === 'token', `${id} ${name}`).toBe(
          (real?.endpoints[name as keyof typeof endpoints] ?? null) === null || name === 'token',
        );
      }
      expect(variables).toBe(real?.variables);
    }
    expect(mock.catalogue.list()).toHaveLength(entries.length);
    expect(Object.keys(standIns).filter((id) => knownProviders.get(id) === undefined)).toEqual([]);
  });

  it('show a page with what can be made to go wrong, and do it', async () => {
    const page = await fetch(`${mock.url}/`);
    expect(await page.text()).toContain('/xero/fault');
    const fault = (name: string) =>
      fetch(`${mock.url}/linear/fault`, {
        method: 'POST',
        body: new URLSearchParams({ fault: name }),
        redirect: 'manual',
      });
    await fault('rate_limited');
    expect((await redeem('linear')).status).toBe(429);
    const { json } = await redeem('linear');
    await fault('end_grants');
    expect(await refresh('linear', json.refresh_token)).toMatchObject({ status: 400 });
    expect((await fault('fire')).status).toBe(400);
  });

  it('know nothing else', async () => {
    for (const path of ['/nobody/token', '/linear/nothing', '/linear/__proto__', '/linear/token', '/x']) {
      expect((await fetch(`${mock.url}${path}`)).status, path).toBe(404);
    }
  });
});
