import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { type Call, type Result, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { bodyOf, pathOf } from './support/every-route.ts';
import { createGranted, failNext } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

/** What every answer carries, whatever it says (S-61). */
function expectSecure({ headers, status }: Result): void {
  const expected = {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'x-frame-options': 'DENY',
  };
  for (const [name, value] of Object.entries(expected)) expect(headers.get(name), `${status} ${name}`).toBe(value);
  const policy = headers.get('content-security-policy') ?? '';
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).toContain("base-uri 'none'");
  expect(policy).not.toMatch(/unsafe-|\*|script-src/);
  const age = /max-age=(\d+); includeSubDomains/.exec(headers.get('strict-transport-security') ?? '')?.[1];
  expect(Number(age)).toBeGreaterThanOrEqual(31_536_000);
  expect(headers.get('access-control-allow-origin')).toBeNull();
  expect(headers.get('server')).toBeNull();
  expect(headers.get('x-powered-by')).toBeNull();
}

function expectCorrelated(answer: Result): void {
  const id = answer.headers.get('x-correlation-id');
  expect(id).toMatch(/^[A-Za-z0-9._-]{8,64}$/);
  if (answer.status < 400) return;
  if (answer.json === undefined) expect(answer.text).toContain(id);
  else if (answer.json.error !== undefined) expect(answer.json.correlation_id).toBe(id);
}

describe('S-61 every route', () => {
  it.each(routeTable.map((route) => [route.name, route] as const))('%s', async (_name, route) => {
    const calls: Call[] = [{}, { key: null }, { key: null, headers: { origin: 'https://evil.example' } }];
    for (const call of calls) {
      const answer = await broker.call(route.method, pathOf(route.path), { body: bodyOf(route), ...call });
      expectSecure(answer);
      expectCorrelated(answer);
      const { status } = answer;
      const type = answer.headers.get('content-type');
      if (status === 204 || status === 303) expect(answer.text).toBe('');
      else if (route.isPage || Object.values(route.responses).some(({ isPage }) => isPage)) {
        expect(type).toBe('text/html; charset=utf-8');
      } else expect(type).toBe('application/json; charset=utf-8');
    }
  });
});

describe('S-61 errors of every kind', () => {
  const answers: Readonly<Record<string, () => Promise<Result>>> = {
    '400 of malformed JSON': () => broker.call('POST', '/api/oauth/callers', { body: '{' }),
    '404 of an unknown route': () => broker.call('GET', '/api/nothing'),
    '405 of a wrong method': () => broker.call('DELETE', '/api/oauth/me'),
    '413 of a body that is too large': () =>
      broker.call('POST', '/api/oauth/callers', { body: { name: 'x'.repeat(300_000) } }),
    '415-like of another content type': () =>
      broker.call('POST', '/api/oauth/callers', { body: 'name=x', headers: { 'content-type': 'text/plain' } }),
    '503 of a provider that is down': async () => {
      await createGranted(broker, 'down', { expires_in: 100 });
      broker.clock.advance(100_001);
      failNext(broker, 503, 'temporarily_unavailable');
      return broker.call('GET', '/api/oauth/credentials/down');
    },
  };
  it.each(Object.entries(answers))('%s', async (what, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(Number(what.slice(0, 3)) === 415 ? 400 : Number(what.slice(0, 3)));
    expectSecure(answer);
    expectCorrelated(answer);
    expect(answer.text).not.toMatch(/node_modules|\bat .*:\d+:\d+|src\/|OAuthConnections|127\.0\.0\.1/);
  });

  it('411 of a chunked body', async () => {
    const answer = await broker.host.raw(
      `POST /api/oauth/callers HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nx-api-key: ${broker.adminKey}\r\n` +
        'Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
    );
    expect(answer).toContain('HTTP/1.1 411');
    expect(answer).toContain('"error":"length_required"');
    expect(answer.toLowerCase()).toContain('x-content-type-options: nosniff');
  });
});

describe('x-correlation-id', () => {
  it('is the caller’s own where it is harmless, in the answer and in the log', async () => {
    const headers = { 'x-correlation-id': 'run-2026.01_31-a' };
    const answer = await broker.call('GET', '/api/oauth/connections/absent', { headers });
    expect(answer.json.correlation_id).toBe('run-2026.01_31-a');
    expect(answer.headers.get('x-correlation-id')).toBe('run-2026.01_31-a');
    const line = broker.lines.map((text) => JSON.parse(text)).find((l) => l.correlation_id === 'run-2026.01_31-a');
    expect(line).toMatchObject({ event: 'request_refused', code: 'connection_not_found' });
  });

  it.each(['short', 'x'.repeat(65), '{"level":"error"}', '<script>alert(1)</script>', 'a\u00a0b\u00a0c\u00a0d\u00a0e'])(
    'is made anew in place of %j (S-59)',
    async (given) => {
      const answer = await broker.call('GET', '/api/health', { headers: { 'x-correlation-id': given } });
      expect(answer.headers.get('x-correlation-id')).not.toBe(given);
      expectCorrelated(answer);
    },
  );

  it('is another one for each request', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () => (await broker.call('GET', '/api/health')).headers.get('x-correlation-id')),
    );
    expect(new Set(ids).size).toBe(10);
  });
});
