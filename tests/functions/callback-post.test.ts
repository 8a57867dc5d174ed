import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, createConnection, land, signIn } from './support/authorizing.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

function post(name: string, form: URLSearchParams | string, headers: Record<string, string> = {}): Promise<Response> {
  const url = `${broker.url}/api/oauth/callback/${name}`;
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return fetch(url, { method: 'POST', body: String(form), redirect: 'manual', headers: { ...type, ...headers } });
}

describe('POST callback', () => {
  it('303 to the same URL with the fields in the query; only that GET consumes', async () => {
    await createConnection(broker, 'posted');
    const started = await begin(broker, 'posted');
    const browser = createUserAgent();
    await browser.open(started.connect_url);
    const redirect = await signIn(started, {}, browser);
    const calls = broker.server.tokens.count();
    for (let time = 0; time < 2; time += 1) {
      const answer = await post('posted', redirect.searchParams);
      expect(answer.status).toBe(303);
      expect(answer.headers.get('location')).toBe(redirect.href);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(broker.server.tokens.count()).toBe(calls);
    expect((await land(redirect, browser)).html).toContain('is connected');
  });

  it('stays on PUBLIC_BASE_URL, whatever the fields and headers say', async () => {
    const form = new URLSearchParams({ state: 'a&b=c#d\r\nset-cookie: x=y', 'iss ': '//evil.example' });
    const answer = await post('posted', form, { 'x-forwarded-host': 'evil.example' });
    const location = new URL(answer.headers.get('location') ?? '');
    expect(location.origin).toBe(broker.url);
    expect(location.pathname).toBe('/api/oauth/callback/posted');
    expect(location.searchParams.get('state')).toBe('a&b=c#d\r\nset-cookie: x=y');
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('303 for an empty form, and the GET then refuses', async () => {
    const answer = await post('posted', '');
    expect(answer.status).toBe(303);
    expect((await land(answer.headers.get('location') ?? '')).status).toBe(400);
  });

  it('413 as a page for more than a browser could carry in an address', async () => {
    const answer = await post('posted', new URLSearchParams({ error_description: 'x'.repeat(9000) }));
    expect(answer.status).toBe(413);
    expect(answer.headers.get('content-type')).toContain('text/html');
  });

  it('411 for a chunked form', async () => {
    const answer = await broker.host.raw(
      'POST /api/oauth/callback/posted HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n' +
        'Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nstate=x\r\n0\r\n\r\n',
    );
    expect(answer).toContain('HTTP/1.1 411');
  });

  it('400 for a name that is none', async () => {
    expect((await post('no.name', 'state=x')).status).toBe(400);
  });
});
