import { describe, expect, test } from 'vitest';
import type { ProviderErrorCode } from '../../../src/domain/errors.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { clientWith, providerAnswering } from './clients.ts';

const at = 'at-1';
const rt = 'rt-1';
const form = 'application/x-www-form-urlencoded';
const plain = 'text/plain; charset=utf-8';
const usual = { access_token: at, token_type: 'Bearer', expires_in: 3600 };

/** Signed by nobody: another tenant's issuer in a token of ours is not looked at where no issuer is known. */
const foreignIdToken = [{ alg: 'RS256' }, { iss: 'https://login.example/tenant-2/v2.0', sub: 's', aud: 'other' }, {}]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .join('.');

interface Odd {
  readonly title: string;
  readonly body: unknown;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** What differs from a Bearer token of an hour without more. */
  readonly tokens?: { readonly lifeSeconds?: number | null; readonly refresh?: string; readonly scopes?: string };
  readonly failure?: ProviderErrorCode;
}

const challenge = { 'www-authenticate': 'Bearer realm="provider"' };

/** What real providers send, and a client that goes by RFC 6749 to the letter refuses or takes for something else. */
const oddAnswers: readonly Odd[] = [
  { title: 'no token_type', body: { access_token: at, expires_in: 3600 }, tokens: {} },
  { title: 'token_type bot', body: { ...usual, token_type: 'bot' }, tokens: {} },
  { title: 'token_type user', body: { ...usual, token_type: 'user' }, tokens: {} },
  { title: 'token_type empty', body: { ...usual, token_type: '' }, tokens: {} },
  { title: 'expires_in null', body: { ...usual, expires_in: null }, tokens: { lifeSeconds: null } },
  { title: 'expires_in empty', body: { ...usual, expires_in: '' }, tokens: { lifeSeconds: null } },
  { title: 'expires_in a numeric string', body: { ...usual, expires_in: '3600' }, tokens: {} },
  {
    title: 'no expires_in though there is a refresh token',
    body: { access_token: at, refresh_token: rt },
    tokens: { lifeSeconds: null, refresh: rt },
  },
  {
    title: 'a form',
    body: `access_token=${at}&token_type=bearer&expires_in=3600`,
    headers: { 'content-type': form },
    tokens: {},
  },
  {
    title: 'a form called text/plain',
    body: `access_token=${at}&expires_in=3600`,
    headers: { 'content-type': plain },
    tokens: {},
  },
  {
    title: 'status 200 with the error in JSON',
    body: { error: 'bad_refresh_token', error_description: 'd' },
    failure: 'needs_reauthorization',
  },
  {
    title: 'status 200 with a wrong client in JSON',
    body: { error: 'incorrect_client_credentials' },
    failure: 'provider_rejected_client',
  },
  {
    title: 'status 200 with the error in a form',
    body: 'error=bad_verification_code&error_description=d',
    headers: { 'content-type': form },
    failure: 'needs_reauthorization',
  },
  {
    title: 'status 200 with ok: false',
    body: { ok: false, error: 'invalid_refresh_token' },
    failure: 'needs_reauthorization',
  },
  {
    title: 'status 200 with ok: false and a passing reason',
    body: { ok: false, error: 'ratelimited' },
    failure: 'provider_unavailable',
  },
  {
    title: 'the token in authed_user',
    body: { ok: true, authed_user: { id: 'U', ...usual, scope: 'a,b', refresh_token: rt } },
    tokens: { refresh: rt, scopes: 'a,b' },
  },
  {
    title: 'one token outside and another in authed_user',
    body: { ok: true, ...usual, token_type: 'bot', authed_user: { id: 'U', access_token: 'at-2', expires_in: 5 } },
    tokens: {},
  },
  { title: 'the token in data', body: { code: 0, data: { ...usual, refresh_token: rt } }, tokens: { refresh: rt } },
  { title: 'scope an array', body: { ...usual, scope: ['a', 'b'] }, tokens: { scopes: 'a b' } },
  { title: 'scope null', body: { ...usual, scope: null }, tokens: {} },
  { title: 'scope with commas', body: { ...usual, scope: 'a,b' }, tokens: { scopes: 'a,b' } },
  { title: 'refresh_token null', body: { ...usual, refresh_token: null }, tokens: {} },
  { title: 'refresh_token empty', body: { ...usual, refresh_token: '' }, tokens: {} },
  { title: 'status 201', body: usual, status: 201, tokens: {} },
  { title: 'id_token null', body: { ...usual, id_token: null }, tokens: {} },
  { title: 'id_token of another tenant', body: { ...usual, id_token: foreignIdToken }, tokens: {} },
  {
    title: 'a 400 that calls its JSON text/plain',
    body: { error: 'invalid_grant' },
    status: 400,
    headers: { 'content-type': plain },
    failure: 'needs_reauthorization',
  },
  {
    title: 'a 400 that says something in words',
    body: 'Bad Request',
    status: 400,
    headers: { 'content-type': plain },
    failure: 'provider_answer_invalid',
  },
  {
    title: 'a 401 with a challenge that is about the grant',
    body: { error: 'invalid_grant' },
    status: 401,
    headers: challenge,
    failure: 'needs_reauthorization',
  },
  {
    title: 'a 401 with a challenge that is about the client',
    body: { error: 'invalid_client' },
    status: 401,
    headers: challenge,
    failure: 'provider_rejected_client',
  },
  {
    title: 'an error that is an object',
    body: { error: { type: 'invalid_grant', message: 'm' } },
    status: 400,
    failure: 'needs_reauthorization',
  },
];

describe('an odd answer comes out right', () => {
  test.each(oddAnswers)('$title', async ({ body, status = 200, headers = {}, tokens, failure }) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const all = { 'content-type': 'application/json', ...headers };
    const { server } = providerAnswering(() => new Response(text, { status, headers: all }));
    const work = server.refresh(clientWith(), new Secret('old'));
    if (failure !== undefined) {
      await expect(work).rejects.toMatchObject({ name: 'BrokerError', code: failure });
      return;
    }
    const issued = await work;
    expect({
      access: issued.tokens.accessToken?.reveal(),
      type: issued.tokens.tokenType,
      refresh: issued.tokens.refreshToken?.reveal(),
      lifeSeconds: issued.expiresAt === null ? null : (issued.expiresAt - issued.requestedAt) / 1000,
      scopes: issued.scopes,
    }).toEqual({ access: at, type: 'Bearer', refresh: undefined, lifeSeconds: 3600, scopes: null, ...tokens });
  });

  test('all 31 of them', () => {
    expect(new Set(oddAnswers.map(({ title }) => title)).size).toBe(31);
  });
});
