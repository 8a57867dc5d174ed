import { describe, expect, test } from 'vitest';
import { BrokerError, type ProviderErrorCode } from '../../../src/domain/errors.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { clientWith, fixedClock, providerAnswering } from './clients.ts';

type Reply = readonly [
  title: string,
  status: number,
  body: unknown,
  code: ProviderErrorCode,
  retryAfterSeconds?: number | undefined,
  headers?: Record<string, string>,
];

const html = '<!doctype html><title>Error</title>';

/** Text is sent as HTML, anything else as JSON. */
const replies: readonly Reply[] = [
  ['invalid_grant', 400, { error: 'invalid_grant' }, 'needs_reauthorization'],
  ['invalid_grant as 401', 401, { error: 'invalid_grant' }, 'needs_reauthorization'],
  ['invalid_grant as 403', 403, { error: 'invalid_grant', error_description: 'Unknown' }, 'needs_reauthorization'],
  [
    'invalid_grant as 401 with a challenge',
    401,
    { error: 'invalid_grant' },
    'needs_reauthorization',
    undefined,
    { 'www-authenticate': 'Basic realm="x"' },
  ],
  ['bad_refresh_token with status 200', 200, { error: 'bad_refresh_token' }, 'needs_reauthorization'],
  [
    'invalid_refresh_token beside ok: false',
    200,
    { ok: false, error: 'invalid_refresh_token' },
    'needs_reauthorization',
  ],
  ['token_revoked', 400, { error: 'token_revoked' }, 'needs_reauthorization'],
  ['token_expired', 400, { error: 'TOKEN_EXPIRED' }, 'needs_reauthorization'],
  ['invalid_token', 401, { error: 'invalid_token' }, 'needs_reauthorization'],
  ['an error object with a type', 400, { error: { type: 'invalid_grant', message: 'm' } }, 'needs_reauthorization'],
  ['a list of errors', 401, { errors: [{ errorType: 'invalid_grant', message: 'm' }] }, 'needs_reauthorization'],
  ['errorCode', 400, { errorCode: 'invalid_grant', errorSummary: 'm' }, 'needs_reauthorization'],
  ['a known code behind an unknown one', 400, { error: 'E_17', error_code: 'invalid_grant' }, 'needs_reauthorization'],
  ['interaction_required', 400, { error: 'interaction_required' }, 'needs_reauthorization'],
  ['a form', 400, 'error=invalid_grant&error_description=x', 'needs_reauthorization'],
  ['a 403 that says when to come back', 403, { error: 'limited' }, 'provider_unavailable', 60, { 'retry-after': '60' }],
  [
    'invalid_grant as 403 in spite of Retry-After',
    403,
    { error: 'invalid_grant' },
    'needs_reauthorization',
    undefined,
    { 'retry-after': '60' },
  ],
  ['invalid_client', 401, { error: 'invalid_client' }, 'provider_rejected_client'],
  ['invalid_client as 400', 400, { error: 'invalid_client' }, 'provider_rejected_client'],
  ['unauthorized_client', 400, { error: 'unauthorized_client' }, 'provider_rejected_client'],
  [
    'incorrect_client_credentials with status 200',
    200,
    { error: 'incorrect_client_credentials' },
    'provider_rejected_client',
  ],
  [
    'a 401 with a challenge and no body',
    401,
    '',
    'provider_rejected_client',
    undefined,
    { 'www-authenticate': 'Basic' },
  ],
  ['a 401 with a code that nobody knows', 401, { error: 'Unauthorized' }, 'provider_rejected_client'],
  ['invalid_scope', 400, { error: 'invalid_scope' }, 'provider_rejected_request'],
  ['invalid_request', 400, { error: 'invalid_request' }, 'provider_rejected_request'],
  ['unsupported_grant_type', 400, { error: 'unsupported_grant_type' }, 'provider_rejected_request'],
  ['invalid_target', 400, { error: 'invalid_target' }, 'provider_rejected_request'],
  ['a code that nobody knows', 400, { error: 'computer_says_no' }, 'provider_rejected_request'],
  ['a numeric code', 400, { error: { code: 190, message: 'm' } }, 'provider_rejected_request'],
  ['redirect_uri_mismatch with status 200', 200, { error: 'redirect_uri_mismatch' }, 'provider_rejected_request'],
  ['429', 429, { error: 'rate' }, 'provider_unavailable'],
  ['429 with seconds', 429, '', 'provider_unavailable', 120, { 'retry-after': '120' }],
  ['429 that claims invalid_grant', 429, { error: 'invalid_grant' }, 'provider_unavailable'],
  ['503 with a date', 503, html, 'provider_unavailable', 90, { 'retry-after': 'Mon, 12 Jan 2026 10:01:30 GMT' }],
  [
    '503 with a date that has passed',
    503,
    html,
    'provider_unavailable',
    undefined,
    { 'retry-after': 'Mon, 12 Jan 2026 09:00:00 GMT' },
  ],
  ['503 with a wait of days: six hours', 503, html, 'provider_unavailable', 21_600, { 'retry-after': '900000' }],
  ['503 with a wait that is no time', 503, html, 'provider_unavailable', undefined, { 'retry-after': 'soon' }],
  ['503 with a negative wait', 503, html, 'provider_unavailable', undefined, { 'retry-after': '-5' }],
  ['500', 500, html, 'provider_unavailable'],
  ['500 that claims invalid_grant', 500, { error: 'invalid_grant' }, 'provider_unavailable'],
  ['502', 502, html, 'provider_unavailable'],
  ['408', 408, '', 'provider_unavailable'],
  [
    'temporarily_unavailable as 400',
    400,
    { error: 'temporarily_unavailable' },
    'provider_unavailable',
    7,
    { 'retry-after': '7' },
  ],
  ['server_error with status 200', 200, { error: 'server_error' }, 'provider_unavailable'],
  [
    'ratelimited with status 200',
    200,
    { ok: false, error: 'ratelimited' },
    'provider_unavailable',
    30,
    { 'retry-after': '30' },
  ],
  ['HTML with status 200', 200, html, 'provider_answer_invalid'],
  ['HTML with status 400', 400, html, 'provider_answer_invalid'],
  ['HTML with status 403', 403, html, 'provider_answer_invalid', 60, { 'retry-after': '60' }],
  ['HTML with status 404', 404, html, 'provider_answer_invalid'],
  ['a 401 with nothing', 401, '', 'provider_answer_invalid'],
  ['JSON without an error', 400, { message: 'Bad Request' }, 'provider_answer_invalid'],
  ['error: true', 400, { error: true }, 'provider_answer_invalid'],
  ['204', 204, null, 'provider_answer_invalid'],
  ['a redirect', 307, '', 'provider_answer_invalid', undefined, { location: 'https://elsewhere.example/' }],
];

describe('a reply to a refresh is classified', () => {
  const cases = replies.map(([title, status, body, code, retryAfterSeconds, headers = {}]) => {
    return { title, status, body, code, retryAfterSeconds, headers };
  });

  test.each(cases)('$title', async ({ status, body, code, retryAfterSeconds, headers }) => {
    const type = typeof body === 'string' ? 'text/html' : 'application/json';
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { server, sent } = providerAnswering(
      () => new Response(status === 204 ? null : text, { status, headers: { 'content-type': type, ...headers } }),
    );

    const failure = await server.refresh(clientWith(), new Secret('old')).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(BrokerError);
    expect(failure).toMatchObject({ code });
    expect((failure as BrokerError).retryAfterSeconds).toBe(retryAfterSeconds);
    expect(sent).toHaveLength(1);
  });

  test('the body of a 401 is read though there is a challenge', async () => {
    const { server } = providerAnswering(() =>
      Response.json({ error: 'invalid_grant' }, { status: 401, headers: { 'www-authenticate': 'Bearer error="x"' } }),
    );
    await expect(server.refresh(clientWith(), new Secret('old'))).rejects.toMatchObject({
      message: 'The provider no longer accepts this grant (invalid_grant). A person has to authorize again.',
    });
  });

  test('a client that speaks for itself never needs a person', async () => {
    const { server } = providerAnswering(() => Response.json({ error: 'invalid_grant' }, { status: 400 }));
    await expect(server.mint(clientWith())).rejects.toMatchObject({ code: 'provider_rejected_request' });
  });
});

describe('whether a refresh that failed may have worked', () => {
  const failureOf = (answer: () => Promise<Response>) =>
    providerAnswering(answer)
      .server.refresh(clientWith(), new Secret('old'))
      .catch((error: unknown) => error);
  const answering = (status: number, body: string) => async () => new Response(body, { status });
  const said = JSON.stringify({ error: 'temporarily_unavailable' });

  test.each([
    ['a 200 that cannot be read', answering(200, html)],
    ['a 200 without a token', answering(200, '{}')],
    ['a 502', answering(502, html)],
    ['a 504', answering(504, '')],
    ['a reset', () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }))],
  ])('%s leaves it open', async (_title, answer) => {
    expect(await failureOf(answer)).toMatchObject({ isOutcomeUnknown: true });
  });

  test.each([
    ['a 500', answering(500, html)],
    ['a 503', answering(503, html)],
    ['a 429', answering(429, '')],
    ['a 400 that cannot be read', answering(400, html)],
    ['a 502 that speaks OAuth', answering(502, said)],
    ['a 200 that speaks OAuth', answering(200, said)],
    ['invalid_grant', answering(400, JSON.stringify({ error: 'invalid_grant' }))],
  ])('%s says that it did not', async (_title, answer) => {
    expect(await failureOf(answer)).toMatchObject({ isOutcomeUnknown: false });
  });
});

describe('what does not come back', () => {
  const refresh = (fetch: () => Promise<Response>, timeLimit?: () => AbortSignal) =>
    providerAnswering(fetch, timeLimit === undefined ? {} : { timeLimit }).server.refresh(
      clientWith(),
      new Secret('old'),
    );

  test('a reset is provider_unavailable, and says why for the log only', async () => {
    const reset = () => Promise.reject(new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } }));
    await expect(refresh(reset)).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'The provider could not be reached. It will be tried again.',
      detail: 'ECONNRESET',
    });
  });

  test('a body that breaks off is provider_unavailable', async () => {
    const body = new ReadableStream({ start: (controller) => controller.error(new Error('terminated')) });
    await expect(refresh(async () => new Response(body))).rejects.toMatchObject({ code: 'provider_unavailable' });
  });

  test('the time limit holds for a fetch that ignores its signal, and for a body that never ends', async () => {
    for (const answer of [() => new Promise<never>(() => {}), async () => new Response(new ReadableStream())]) {
      const limit = new AbortController();
      const late = refresh(answer, () => limit.signal);
      limit.abort();
      await expect(late).rejects.toMatchObject({
        code: 'provider_unavailable',
        message: 'The provider did not answer in time. It will be tried again.',
      });
    }
  });

  test('an error of the guarded client passes as it is', async () => {
    const refused = new BrokerError('url_not_allowed', 'no');
    await expect(refresh(() => Promise.reject(refused))).rejects.toBe(refused);
  });

  test.each(['http://provider.example/token', 'http://127.0.0.1/token', 'ftp://provider.example/', 'nonsense'])(
    'nothing is sent to %s',
    async (tokenUrl) => {
      const { server, sent } = providerAnswering(() => Response.json({ access_token: 'a' }));
      const call = server.refresh(clientWith({ endpoints: { tokenUrl } }), new Secret('old'));
      await expect(call).rejects.toMatchObject({ code: 'url_not_allowed' });
      expect(sent).toEqual([]);
    },
  );

  test('plain http goes to loopback only, even where that is allowed', async () => {
    const options = { clock: fixedClock, allowInsecureLoopback: true };
    const { server } = providerAnswering(() => Response.json({ access_token: 'a' }), options);
    const refreshAt = (tokenUrl: string) => server.refresh(clientWith({ endpoints: { tokenUrl } }), new Secret('old'));
    await expect(refreshAt('http://127.0.0.1:9/token')).resolves.toBeDefined();
    await expect(refreshAt('http://provider.example/token')).rejects.toMatchObject({ code: 'url_not_allowed' });
  });
});

describe("a provider's own text", () => {
  const failing = (said: Record<string, unknown>) =>
    providerAnswering(() => Response.json(said, { status: 400 }))
      .server.refresh(clientWith({ secret: 'the-client-secret' }), new Secret('the+refresh/token'))
      .catch((error: BrokerError) => error) as Promise<BrokerError>;

  test('stays out of the message', async () => {
    const { message } = await failing({ error: '<script>', error_description: 'Call 555-1234' });
    expect(message).toBe(
      'The provider rejected the request (status 400). Check the scopes, the token URL and the extra parameters.',
    );
  });

  test('is on one line of at most 200 characters in the detail', async () => {
    const { detail } = await failing({
      error: 'bad\r\nthing',
      error_description: `\u001b[31m${'no '.repeat(30_000)}\u2028`,
    });
    expect(detail).toMatch(/^status 400, bad thing: {2}\[31m[no ]+…$/);
    expect(detail?.length).toBeLessThanOrEqual(200 + 'status 400, '.length);
  });

  test('loses the secrets that it repeats, also when they are percent-encoded', async () => {
    const { detail } = await failing({
      error: 'invalid_grant',
      error_description: 'the+refresh/token or the%2Brefresh%2Ftoken with the-client-secret',
    });
    expect(detail).toBe('status 400, invalid_grant: [secret] or [secret] with [secret]');
  });

  test('loses what looks like a secret of somebody else, and keeps long words', async () => {
    const { detail } = await failing({
      error: 'temporarily_unavailable_for_now',
      error_description: 'not 1//0gLcqFQwd83JkYaTn5Vx9 but misunderstandings_happen',
    });
    expect(detail).toBe('status 400, temporarily_unavailable_for_now: not [hidden] but misunderstandings_happen');
  });
});
