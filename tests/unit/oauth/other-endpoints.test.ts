import { describe, expect, test } from 'vitest';
import { BrokerError } from '../../../src/domain/errors.ts';
import type { Tokens } from '../../../src/domain/grant.ts';
import type { ProviderRevocation } from '../../../src/domain/provider.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { clientWith, json, providerAnswering, type SentRequest } from './clients.ts';

const token = new Secret('at-1');
const both: Tokens = {
  accessToken: token,
  refreshToken: new Secret('rt-1'),
  tokenType: 'Bearer',
  account: null,
  metadata: {},
};
const revocationBy = (style: ProviderRevocation['style']): ProviderRevocation => ({
  style,
  method: 'POST',
  bodyFormat: null,
  isShared: false,
  reach: 'token',
});
const lost = (): never => {
  throw new TypeError('fetch failed');
};

describe('userinfo', () => {
  test.each([
    ['sub', { sub: 'alice', id: 'other' }, 'alice'],
    ['id', { id: 'u-1' }, 'u-1'],
    ['a number as id', { id: 42 }, '42'],
    ['nobody', { name: 'Alice' }, null],
    ['an empty sub', { sub: '' }, null],
    ['a list', [], null],
  ])('names the account: %s', async (_title, body, account) => {
    const { server, sent } = providerAnswering(() => json(body));
    expect(await server.account(clientWith(), token)).toBe(account);
    expect(sent).toMatchObject([{ url: 'https://provider.example/userinfo', method: 'GET' }]);
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer at-1');
  });

  test('names nobody where there is no such endpoint, and nothing is sent', async () => {
    const { server, sent } = providerAnswering(lost);
    expect(await server.account(clientWith({ endpoints: { userinfoUrl: null } }), token)).toBeNull();
    expect(sent).toEqual([]);
  });

  test.each([
    [401, 'provider_rejected_token', undefined],
    [403, 'provider_rejected_token', undefined],
    [429, 'provider_unavailable', 9],
    [503, 'provider_unavailable', 9],
    [404, 'provider_answer_invalid', undefined],
    [302, 'provider_answer_invalid', undefined],
  ])('with status %i throws %s', async (status, code, retryAfterSeconds) => {
    const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': `${retryAfterSeconds}` };
    const { server } = providerAnswering(() => json({ sub: 'x' }, status, headers));
    await expect(server.account(clientWith(), token)).rejects.toMatchObject({ code, retryAfterSeconds });
  });

  test('that is no JSON throws provider_answer_invalid', async () => {
    const { server } = providerAnswering(() => new Response('<html>'));
    await expect(server.account(clientWith(), token)).rejects.toMatchObject({ code: 'provider_answer_invalid' });
  });
});

describe('revocation', () => {
  test('revokes the refresh token first, then the access token', async () => {
    const { server, sent } = providerAnswering(() => new Response(null));
    expect(await server.revoke(clientWith(), both)).toBe(true);
    expect(sent.map(({ url, form }) => [url, form.get('token'), form.get('token_type_hint')])).toEqual([
      ['https://provider.example/revoke', 'rt-1', 'refresh_token'],
      ['https://provider.example/revoke', 'at-1', 'access_token'],
    ]);
    expect(sent[0]?.form.get('client_secret')).toBe('client-secret');
  });

  test('has worked when the refresh token is gone, whatever happens to the access token', async () => {
    const refusing = providerAnswering(({ form }) => json({}, form.get('token') === 'rt-1' ? 200 : 400));
    expect(await refusing.server.revoke(clientWith(), both)).toBe(true);
    const breaking = providerAnswering(({ form }) => (form.get('token') === 'rt-1' ? json({}) : lost()));
    expect(await breaking.server.revoke(clientWith(), both)).toBe(true);
  });

  test.each([400, 302])('has not worked with status %i, and the access token is tried too', async (status) => {
    const { server, sent } = providerAnswering(() => json({ error: 'x' }, status));
    expect(await server.revoke(clientWith(), both)).toBe(false);
    expect(sent).toHaveLength(2);
  });

  test.each([
    [401, {}],
    [401, { error: 'x' }],
    [400, { error: 'invalid_client' }],
    [200, { ok: false, error: 'bad_client_secret' }],
  ])('%i %j is about the client, which may be put right', async (status, body) => {
    const { server, sent } = providerAnswering(() => json(body, status));
    await expect(server.revoke(clientWith(), both)).rejects.toMatchObject({ code: 'provider_rejected_client' });
    expect(sent).toHaveLength(1);
    await expect(
      server.revoke(clientWith({ profile: { revocation: revocationBy('client_json') } }), both),
    ).rejects.toMatchObject({ code: 'provider_rejected_client' });
  });

  test('is refused with status 200 where the body says so', async () => {
    const { server } = providerAnswering(() => json({ ok: false, error: 'unsupported_token_type' }));
    expect(await server.revoke(clientWith(), both)).toBe(false);
  });

  test.each(['temporarily_unavailable', 'server_error', 'slow_down', 'ratelimited'])(
    'is to be tried again after %s, whatever the status',
    async (error) => {
      for (const status of [200, 400]) {
        const { server } = providerAnswering(() => json({ ok: false, error }, status));
        await expect(server.revoke(clientWith(), both)).rejects.toMatchObject({ code: 'provider_unavailable' });
      }
    },
  );

  test.each(['', '{}', '{"ok":true,"revoked":true}', 'OK'])('has worked with status 200 and %j', async (body) => {
    const { server } = providerAnswering(() => new Response(body));
    expect(await server.revoke(clientWith(), both)).toBe(true);
  });

  test.each([500, 503, 429])('is to be tried again after status %i', async (status) => {
    const { server, sent } = providerAnswering(() => json({ error: 'x' }, status));
    await expect(server.revoke(clientWith(), both)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(sent).toHaveLength(1);
  });

  test('is to be tried again where the provider does not answer, which is not waited for twice', async () => {
    const { server, sent } = providerAnswering(lost);
    await expect(server.revoke(clientWith(), both)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(sent).toHaveLength(1);
  });

  test.each(['provider_answer_invalid', 'url_not_allowed'] as const)(
    'is to be tried again after %s: that is no answer',
    async (code) => {
      const { server, sent } = providerAnswering(() => {
        throw new BrokerError(code, 'No.');
      });
      await expect(server.revoke(clientWith(), both)).rejects.toMatchObject({ code });
      expect(sent).toHaveLength(1);
    },
  );

  test('does nothing without an endpoint, without tokens, or without the client secret', async () => {
    const { server, sent } = providerAnswering(() => json({}));
    expect(await server.revoke(clientWith({ endpoints: { revocationUrl: null } }), both)).toBe(false);
    expect(await server.revoke(clientWith(), { ...both, accessToken: null, refreshToken: null })).toBe(false);
    await expect(server.revoke(clientWith({ secret: null }), both)).rejects.toMatchObject({
      code: 'provider_rejected_client',
    });
    expect(sent).toEqual([]);
  });

  test('of an access token alone depends on it', async () => {
    const { server } = providerAnswering(() => json({}));
    expect(await server.revoke(clientWith(), { ...both, refreshToken: null })).toBe(true);
  });
});

describe('revocation by the access token alone', () => {
  const byToken = (style: 'bearer' | 'client_json') => clientWith({ profile: { revocation: revocationBy(style) } });
  const tokenOf = ({ headers, text }: SentRequest) =>
    text === '' ? headers.get('authorization')?.slice('Bearer '.length) : JSON.parse(text).access_token;
  /** The first access token has lapsed; the refresh token gets the second. */
  const lapsed = (refreshed: () => Response) =>
    providerAnswering((request) => {
      if (request.url.endsWith('/token')) return refreshed();
      return tokenOf(request) === 'at-2' ? json({ ok: true }) : json({ error: 'token_expired' });
    });
  const renewed = () => json({ access_token: 'at-2', refresh_token: 'rt-2', token_type: 'Bearer', expires_in: 60 });

  test.each(['bearer', 'client_json'] as const)('%s: a lapsed one is refreshed once for it', async (style) => {
    const { server, sent } = lapsed(renewed);
    expect(await server.revoke(byToken(style), both)).toBe(true);
    expect(sent.map(({ url }) => new URL(url).pathname)).toEqual(['/revoke', '/token', '/revoke']);
    expect(sent[1]?.form.get('refresh_token')).toBe('rt-1');
    expect(await server.revoke(byToken(style), { ...both, accessToken: null })).toBe(true);
    expect(sent).toHaveLength(5);
  });

  test('is refused where there is no refresh token, or a dead one', async () => {
    const { server, sent } = lapsed(renewed);
    expect(await server.revoke(byToken('bearer'), { ...both, refreshToken: null })).toBe(false);
    expect(sent).toHaveLength(1);
    const dead = lapsed(() => json({ error: 'invalid_grant' }, 400));
    expect(await dead.server.revoke(byToken('bearer'), both)).toBe(false);
  });

  test.each([
    [503, {}, 'provider_unavailable'],
    [401, { error: 'invalid_client' }, 'provider_rejected_client'],
    [200, ['no', 'answer'], 'provider_answer_invalid'],
  ])('is to be tried again when the refresh is answered with %i', async (status, body, code) => {
    const { server } = lapsed(() => json(body, status));
    await expect(server.revoke(byToken('bearer'), both)).rejects.toMatchObject({ code });
  });
});

describe('the test endpoint', () => {
  test.each([
    [200, 'accepted', 'The provider accepted the token (status 200).'],
    [204, 'accepted', 'The provider accepted the token (status 204).'],
    [401, 'rejected', 'The provider refused the token (status 401). Authorize again.'],
    [403, 'forbidden', 'The provider refused the token (status 403). Check the scopes.'],
    [302, 'unclear', 'The test endpoint answered with status 302. Check test_url.'],
    [404, 'unclear', 'The test endpoint answered with status 404. Check test_url.'],
    [500, 'unclear', 'The test endpoint answered with status 500. Check test_url.'],
  ])('with status %i: %s', async (status, outcome, message) => {
    const body = status === 204 ? null : 'secret page';
    const { server, sent } = providerAnswering(
      () => new Response(body, { status, headers: { 'www-authenticate': 'Bearer' } }),
    );
    expect(await server.probe(clientWith(), token)).toEqual({ outcome, message });
    expect(sent).toMatchObject([{ url: 'https://provider.example/test', method: 'GET' }]);
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer at-1');
  });

  test('leaves it unclear when nothing comes back or the address is refused', async () => {
    const { server } = providerAnswering(lost);
    expect(await server.probe(clientWith(), token)).toMatchObject({ outcome: 'unclear' });
    const guarded = providerAnswering(() => Promise.reject(new BrokerError('url_not_allowed', 'no')));
    expect(await guarded.server.probe(clientWith(), token)).toEqual({ outcome: 'unclear', message: 'no' });
  });

  test('is not called where there is none', async () => {
    const { server, sent } = providerAnswering(lost);
    expect(await server.probe(clientWith({ endpoints: { testUrl: null } }), token)).toBeNull();
    expect(sent).toEqual([]);
  });
});
