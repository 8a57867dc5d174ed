import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { begin, createConnection, detailOf, land, signIn, withParameters } from '../functions/support/authorizing.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ settings: { ALLOWED_RETURN_ORIGINS: 'https://app.example.com' } });
});
afterAll(() => broker.stop());

const mark = 'marked-by-the-provider';
const hostile = [
  ['markup', `<script>alert("${mark}")</script>`],
  ['an attribute', `" onmouseover="${mark}`],
  ['lines and a header', `x\r\nset-cookie: a=${mark}\r\n\r\n<html>`],
  ['colours of a terminal', `\u001b[31m${mark}\u0007`],
  ['a line that looks like the log’s', `\n{"level":"error","event":"${mark}"}`],
  ['line separators of JavaScript', `\u2028${mark}\u2029`],
  ['text from right to left', `\u202e${mark}`],
  ['twelve kilobytes', mark.repeat(545)],
  ['a NUL', `\0${mark}`],
  ['bytes that are no text', `%ff%fe${mark}`],
] as const;

async function denied(name: string, body: unknown = {}): Promise<URL> {
  await createConnection(broker, name);
  return signIn(await begin(broker, name, body), { deny: true });
}

describe('S-29 an error of the provider', () => {
  it.each(hostile)('that is described by %s: 400, a page without it, and the state is used up', async (what, text) => {
    const name = `described-${what.replace(/\W/g, '-')}`;
    const redirect = await denied(name);
    const calls = broker.server.tokens.count();
    for (const field of ['error_description', 'error_uri']) redirect.searchParams.set(field, text);
    const page = await land(withParameters(redirect, { error: `server_error${text.slice(0, 300)}` }));
    expect(page.status).toBe(400);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('set-cookie') ?? '').not.toContain(mark);
    expect(page.html).not.toContain(mark);
    expect(page.html).not.toMatch(/<script\b/i);
    expect((await land(redirect)).html).toContain('was finished already');
    expect(broker.server.tokens.count()).toBe(calls);
    const { status, status_reason, status_message } = (await detailOf(broker, name)).json;
    expect([status, status_reason]).toEqual(['failed', 'authorization_failed']);
    expect(status_message).not.toContain(mark);
  });

  it('of 64 KB reaches nothing: the host refuses such an address, and the right answer still counts', async () => {
    const redirect = await denied('long');
    redirect.searchParams.set('error_description', mark.repeat(3000));
    const page = await land(redirect);
    expect([414, 431]).toContain(page.status);
    expect(page.html).not.toContain(mark);
    redirect.searchParams.delete('error_description');
    expect((await land(redirect)).html).toContain('access_denied');
  });

  it.each(['error', 'error_description', 'error_uri', 'state', 'iss'])('that gives %s twice: 400', async (name) => {
    const redirect = await denied(`twice-${name.replace('_', '-')}`);
    redirect.searchParams.append(name, `a${mark}`);
    redirect.searchParams.append(name, `b${mark}`);
    const page = await land(redirect);
    expect(page.status).toBe(400);
    expect(page.html).not.toContain(mark);
  });
});

describe('S-30 the page at the end', () => {
  it('loads nothing, leads nowhere, and tells no other page where it was', async () => {
    await createConnection(broker, 'plain');
    const redirect = await signIn(await begin(broker, 'plain'));
    const page = await land(redirect);
    expect(page.status).toBe(200);
    expect(page.html).not.toMatch(
      /\b(src|href|action|srcset|poster|background)\s*=|url\(|@import|<(script|iframe|object|embed|link|base|form|meta http)/i,
    );
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/=]+';/);
  });

  it('is left by 303 for an address without code, state or session, where one was asked for', async () => {
    await createConnection(broker, 'returning');
    const redirect = await signIn(await begin(broker, 'returning', { return_url: 'https://app.example.com/done?a=1' }));
    const page = await land(redirect);
    expect(page.status).toBe(303);
    expect(page.location?.href).toBe('https://app.example.com/done?a=1&connection=returning&status=completed');
    for (const name of ['code', 'state', 'iss']) {
      expect(page.html + JSON.stringify([...page.headers])).not.toContain(redirect.searchParams.get(name));
    }
  });
});
