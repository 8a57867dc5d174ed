import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeTable } from '../../src/functions/route-table.ts';
import { pathOf } from '../functions/support/every-route.ts';
import { createRefreshing, failNext } from '../functions/support/granted.ts';
import { rowsOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const forged = '{"level":"error","time":"2026-01-01T00:00:00.000Z","event":"forged"}';
const hostile: Readonly<Record<string, string>> = {
  'CR and LF': `x\r\n${forged}\r\n`,
  'a quote and a brace': `x"}${forged}{"`,
  'colours of a terminal': '\u001b[31m\u001b]0;title\u0007x',
  'line separators': `x\u2028${forged}\u2029${forged}`,
  'NEL, VT and FF': `x\u0085${forged}\u000b\u000c${forged}`,
  'text from right to left': '\u202e\u2066x\u2069',
  'a NUL and a lone surrogate': 'x\0\ud800',
};

/** What was logged meanwhile, as a reader sees it that takes any line separator there is for the end of a line. */
async function loggedBy(work: () => Promise<unknown>): Promise<Record<string, unknown>[]> {
  const before = broker.lines.length;
  await work();
  return broker.lines.slice(before).flatMap((text) => {
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    const events = text.split(/[\p{Cc}\p{Zl}\p{Zp}]/u).map((line) => JSON.parse(line));
    expect(events).toHaveLength(1);
    return events;
  });
}

function expectOurs(events: readonly Record<string, unknown>[]): void {
  expect(events.length).toBeGreaterThan(0);
  for (const { event, level } of events) {
    expect(event).toMatch(/^[a-z_]+$/);
    expect(event).not.toBe('forged');
    expect(level).toMatch(/^(info|warn|error)$/);
  }
}

const fields = ['description', 'client_id', 'scopes', 'token_url', 'connection_name', 'client_secret', 'tags', 'x'];

describe.each(Object.entries(hostile))('S-59 %s', (_what, text) => {
  it('in any field of a body, or as the name of one: each event is one line', async () => {
    const whole = broker.connectionBody('hostile');
    const bodies = fields.map((field) => ({ ...whole, [field]: field === 'tags' ? [text] : text }));
    const events = await loggedBy(async () => {
      for (const body of [...bodies, { ...whole, [text]: 1 }, `{"client_secret":"${text}`]) {
        const made = await broker.call('POST', '/api/oauth/connections', { body });
        if (made.status === 201) await broker.call('DELETE', '/api/oauth/connections/hostile');
      }
    });
    expectOurs(events);
  });

  it('in a path, a query or a header', async () => {
    const encoded = encodeURIComponent(text.toWellFormed());
    const plain = encodeURIComponent(text.toWellFormed()).slice(0, 60);
    const events = await loggedBy(async () => {
      const paths = routeTable.filter(({ method }) => method === 'GET').map(({ path }) => pathOf(path));
      const addresses = paths.flatMap((path) => [
        path.replace('absent', encoded),
        `${path}?limit=${encoded}&${encoded}=1`,
      ]);
      await Promise.all(addresses.map((address) => broker.call('GET', address)));
      await broker.call('GET', '/api/oauth/connections', {
        headers: { 'x-correlation-id': plain, 'user-agent': plain },
      });
      await broker.call('GET', '/api/oauth/connections', { headers: { 'x-organization-id': plain } });
      await broker.call('GET', '/api/oauth/connections', { headers: { 'x-forwarded-for': plain }, key: plain });
    });
    expectOurs(events);
  });

  it('in the names of callers, users and workflows, which the audit log has as they are, one record each', async () => {
    const before = (await rowsOf(broker, 'OAuthAudit')).length;
    const events = await loggedBy(async () => {
      await broker.call('POST', '/api/oauth/callers', { body: { name: text.slice(0, 80), roles: ['reader'] } });
      await broker.call('POST', '/api/oauth/connections/absent/authorize', { body: { user_id: text } });
      await broker.call('GET', `/api/oauth/credentials/absent?user_id=${encodeURIComponent(text.toWellFormed())}`);
    });
    expectOurs(events);
    expect((await rowsOf(broker, 'OAuthAudit')).length).toBeGreaterThan(before);
    const listed = await broker.call('GET', '/api/oauth/audit');
    expect(listed.status).toBe(200);
    expect(() => JSON.parse(listed.text)).not.toThrow();
  });

  it('in what a provider says', async () => {
    const name = `said-${Object.keys(hostile).indexOf(_what)}`;
    await createRefreshing(broker, name);
    broker.clock.advance(31_000);
    broker.server.tokens.respondNext({ status: 400, body: { error: text, error_description: text } });
    const first = await loggedBy(() => broker.call('GET', `/api/oauth/credentials/${name}`));
    expectOurs(first);
    broker.clock.advance(61_000);
    failNext(broker, 500, text);
    expectOurs(await loggedBy(() => broker.call('POST', `/api/oauth/connections/${name}/refresh`, { body: {} })));
  });
});
