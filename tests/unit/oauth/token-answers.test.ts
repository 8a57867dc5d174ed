import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/domain/secret.ts';
import { clientWith, now, providerAnswering } from './clients.ts';

const form = 'application/x-www-form-urlencoded';
const at = 'at-1';
const rt = 'rt-1';

interface Outcome {
  readonly type?: string;
  readonly refresh?: string | null;
  readonly lifeSeconds?: number | null;
  readonly scopes?: string | null;
  readonly metadata?: Record<string, unknown>;
}

/** What an answer leaves out stays as in `plain`. */
const plain: Required<Outcome> = { type: 'Bearer', refresh: null, lifeSeconds: null, scopes: null, metadata: {} };

type Body = Record<string, unknown> | string;
type Case = readonly [title: string, body: Body, outcome: Outcome, status?: number, contentType?: string];

const accepted: readonly Case[] = [
  [
    'the answer of RFC 6749',
    { access_token: at, token_type: 'Bearer', expires_in: 3600, refresh_token: rt, scope: 'a b' },
    { refresh: rt, lifeSeconds: 3600, scopes: 'a b' },
  ],
  ['no token_type', { access_token: at, expires_in: 60 }, { lifeSeconds: 60 }],
  ['token_type null', { access_token: at, token_type: null }, {}],
  ['token_type bot', { access_token: at, token_type: 'bot' }, {}],
  ['token_type in capitals', { access_token: at, token_type: 'BEARER' }, {}],
  ['token_type a number', { access_token: at, token_type: 7 }, {}],
  ['token_type dpop', { access_token: at, token_type: 'dpop' }, { type: 'DPoP' }],
  ['no expires_in', { access_token: at, token_type: 'Bearer' }, {}],
  ['expires_in null', { access_token: at, expires_in: null }, {}],
  ['expires_in empty', { access_token: at, expires_in: '' }, {}],
  ['expires_in a numeric string', { access_token: at, expires_in: '7200' }, { lifeSeconds: 7200 }],
  ['expires_in a float', { access_token: at, expires_in: 3599.9 }, { lifeSeconds: 3599 }],
  ['expires_in a float string', { access_token: at, expires_in: '3599.9' }, { lifeSeconds: 3599 }],
  ['expires_in zero: lapsed at once', { access_token: at, expires_in: 0 }, { lifeSeconds: 0 }],
  ['expires_in negative: lapsed at once', { access_token: at, expires_in: -5 }, { lifeSeconds: 0 }],
  ['expires_in 1e12: ten years', { access_token: at, expires_in: 1e12 }, { lifeSeconds: 315_360_000 }],
  ['expires_in NaN', { access_token: at, expires_in: 'NaN' }, {}],
  ['expires_in infinite', '{"access_token":"at-1","expires_in":1e999}', {}],
  ['expires_in true', { access_token: at, expires_in: true }, {}],
  ['expires_in an array', { access_token: at, expires_in: [60] }, {}],
  ['expires_at in epoch seconds', { access_token: at, expires_at: now / 1000 + 90 }, { lifeSeconds: 90 }],
  ['expires_at in epoch milliseconds', { access_token: at, expires_at: now + 90_000 }, { lifeSeconds: 90 }],
  ['expires_at as ISO 8601', { access_token: at, expires_at: '2026-01-12T10:01:30Z' }, { lifeSeconds: 90 }],
  ['expires_at that has passed', { access_token: at, expires_at: '2020-01-01T00:00:00Z' }, { lifeSeconds: 0 }],
  ['expires_at that is no time', { access_token: at, expires_at: 'soon' }, {}],
  ['expires_in wins over expires_at', { access_token: at, expires_in: 60, expires_at: 1 }, { lifeSeconds: 60 }],
  ['scope an array', { access_token: at, scope: ['a', 'b'] }, { scopes: 'a b' }],
  ['scope an empty array', { access_token: at, scope: [] }, {}],
  ['scope null', { access_token: at, scope: null }, {}],
  ['scope empty', { access_token: at, scope: '' }, {}],
  ['scope a number', { access_token: at, scope: 3 }, {}],
  ['scope with commas', { access_token: at, scope: 'a,b' }, { scopes: 'a,b' }],
  ['refresh_token null', { access_token: at, refresh_token: null }, {}],
  ['refresh_token empty', { access_token: at, refresh_token: '' }, {}],
  ['refresh_token false', { access_token: at, refresh_token: false }, {}],
  ['id_token null', { access_token: at, id_token: null }, {}],
  ['id_token of nobody known', { access_token: at, id_token: 'x.y.z' }, {}],
  ['status 201', { access_token: at, expires_in: 60 }, { lifeSeconds: 60 }, 201],
  [
    'a form',
    'access_token=at-1&token_type=bearer&scope=a%2Cb&expires_in=60',
    { lifeSeconds: 60, scopes: 'a,b' },
    200,
    form,
  ],
  ['a form called text/plain', 'access_token=at-1&expires_in=60', { lifeSeconds: 60 }, 200, 'text/plain'],
  ['JSON called text/html', '{"access_token":"at-1"}', {}, 200, 'text/html'],
  ['error null beside the token', { access_token: at, error: null }, { metadata: { error: null } }],
  ['error empty beside the token', { access_token: at, error: '' }, { metadata: { error: '' } }],
  [
    'a warning beside the token does not lose a rotated refresh token',
    { access_token: at, refresh_token: rt, error: 'deprecated' },
    { refresh: rt, metadata: { error: 'deprecated' } },
  ],
  [
    'a token in an envelope',
    {
      ok: true,
      team: 'T1',
      authed_user: { id: 'U1', access_token: at, refresh_token: rt, expires_in: 60, scope: 'a' },
    },
    { refresh: rt, lifeSeconds: 60, scopes: 'a', metadata: { ok: true, team: 'T1', id: 'U1' } },
  ],
  [
    'a token under data',
    { data: { access_token: at, expires_in: 60, open_id: 'o' }, code: 0 },
    { lifeSeconds: 60, metadata: { code: 0, open_id: 'o' } },
  ],
  [
    'what the provider says beside the token',
    { access_token: at, instance_url: 'https://x.example', realm_id: 5, refresh_token_expires_in: 9 },
    { metadata: { instance_url: 'https://x.example', realm_id: 5, refresh_token_expires_in: 9 } },
  ],
];

describe('a token answer is understood (S-32, S-37)', () => {
  const cases = accepted.map(([title, body, outcome, status = 200, contentType = 'application/json']) => {
    return { title, body, outcome, status, contentType };
  });

  test.each(cases)('$title', async ({ body, outcome, status, contentType }) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { server } = providerAnswering(
      () => new Response(text, { status, headers: { 'content-type': contentType } }),
    );

    const { tokens, expiresAt, scopes, requestedAt } = await server.refresh(clientWith(), new Secret('old'));

    expect(tokens.accessToken?.reveal()).toBe(at);
    expect({
      type: tokens.tokenType,
      refresh: tokens.refreshToken?.reveal() ?? null,
      lifeSeconds: expiresAt === null ? null : (expiresAt - requestedAt) / 1000,
      scopes,
      metadata: tokens.metadata,
    }).toEqual({ ...plain, ...outcome });
    expect(tokens.account).toBeNull();
  });
});

const unusable: readonly (readonly [title: string, body: string])[] = [
  ['no body', ''],
  ['HTML', '<html><body>Sign in</body></html>'],
  ['half a JSON text', '{"access_token":"at-1"'],
  ['an array', '[{"access_token":"at-1"}]'],
  ['null', 'null'],
  ['a number', '42'],
  ['no token', '{"token_type":"Bearer"}'],
  ['access_token null', '{"access_token":null}'],
  ['access_token empty', '{"access_token":""}'],
  ['access_token a number', '{"access_token":5}'],
  ['access_token that would break a header', '{"access_token":"a\\r\\nx: y"}'],
  ['access_token outside ASCII', '{"access_token":"tökén"}'],
  ['very deep JSON', '['.repeat(100_000)],
];

describe('a token answer is not acceptable (S-54)', () => {
  test.each(unusable)('%s', async (_title, body) => {
    const { server } = providerAnswering(() => new Response(body, { headers: { 'content-type': 'application/json' } }));
    await expect(server.refresh(clientWith(), new Secret('old'))).rejects.toMatchObject({
      code: 'provider_answer_invalid',
      message: "The provider's answer could not be understood (status 200). Check the token URL.",
    });
  });
});

describe('the life of a token (S-37)', () => {
  test('counts from when the request was sent, not from when the answer came', async () => {
    let time = now;
    const { server } = providerAnswering(
      () => {
        time += 5000;
        return Response.json({ access_token: at, expires_in: 60 });
      },
      { clock: { now: () => time, sleep: () => Promise.resolve() } },
    );
    const issued = await server.refresh(clientWith(), new Secret('old'));
    expect(issued).toMatchObject({ requestedAt: now, expiresAt: now + 60_000 });
  });
});
