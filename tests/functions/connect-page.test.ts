import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, createConnection, detailOf, land, signIn } from './support/authorizing.ts';

let broker: TestBroker;
let strict: TestBroker;
beforeAll(async () => {
  [broker, strict] = await Promise.all([
    startTestBroker(),
    startTestBroker({ settings: { REQUIRE_CONNECT_PAGE: 'true' } }),
  ]);
});
afterAll(() => Promise.all([broker.stop(), strict.stop()]));

/** The one link of the page, as a browser reads it. */
function linkOf(html: string): string {
  const links = [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map((match) => match[1] ?? '');
  expect(links).toHaveLength(1);
  return (links[0] ?? '').replaceAll('&amp;', '&');
}

describe('GET connect, 200', () => {
  it('names organisation, connection, provider, who asks, for whom and what', async () => {
    await createConnection(broker, 'named');
    const caller = { name: 'Ops & <b>friends</b>', roles: ['operator'] };
    const key = (await broker.call('POST', '/api/oauth/callers', { body: caller })).json.api_key;
    const started = await begin(broker, 'named', { user_id: 'ann' }, { key });
    const page = await land(started.connect_url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    for (const shown of ['ORG1', 'named', new URL(broker.server.issuer).host, 'ann', 'openid,read']) {
      expect(page.html).toContain(shown);
    }
    expect(page.html).toContain('Ops &amp; &lt;b&gt;friends&lt;/b&gt;');
  });

  it('goes on to the provider by a plain link: no form, no script, nothing loaded', async () => {
    await createConnection(broker, 'linked');
    const started = await begin(broker, 'linked');
    const page = await land(started.connect_url);
    expect(linkOf(page.html)).toBe(started.authorization_url);
    expect(page.html).not.toMatch(/<(form|script|img|iframe|link|object|base)\b|\son\w+=|src=/i);
  });

  it('binds the browser by a cookie with exactly these attributes (S-18)', async () => {
    await createConnection(broker, 'cookie');
    const started = await begin(broker, 'cookie');
    const [cookie, ...more] = (await land(started.connect_url)).headers.getSetCookie();
    expect(more).toEqual([]);
    const [pair = '', ...attributes] = (cookie ?? '').split('; ');
    expect(pair).toMatch(/^__Host-bowline-[0-9a-f]{16}=[\w-]{43}$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure']);
    expect(`${started.connect_url} ${started.authorization_url}`).not.toContain(pair.split('=')[1]);
  });

  it('allows no script and no framing by its policy', async () => {
    await createConnection(broker, 'policy');
    const page = await land((await begin(broker, 'policy')).connect_url);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe-|\*|script-src/);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
  });

  it.each([
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '</dd></dl><h1>Sign in here</h1>',
  ])('shows a hostile user_id as text: %s', async (user_id) => {
    const name = `hostile-${user_id.length}`;
    await createConnection(broker, name);
    const page = await land((await begin(broker, name, { user_id })).connect_url);
    expect(page.status).toBe(200);
    expect(page.html).not.toContain(user_id);
    expect(page.html).not.toMatch(/<script|<img|<h1>Sign/);
    const entities: Record<string, string> = { '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
    expect(page.html).toContain(user_id.replace(/[<>"']/g, (character) => entities[character] ?? ''));
  });

  it('does no harm when opened twice: the same cookie, and the authorization finishes', async () => {
    await createConnection(broker, 'twice');
    const started = await begin(broker, 'twice');
    const browser = createUserAgent();
    const first = await browser.open(started.connect_url);
    const second = await browser.open(started.connect_url);
    expect(second.status).toBe(200);
    expect(second.headers.getSetCookie()).toEqual(first.headers.getSetCookie());
    const page = await land(await signIn(started, {}, browser), browser);
    expect(page.html).toContain('is connected');
  });

  it('serves two authorizations in one browser side by side', async () => {
    await createConnection(broker, 'left');
    await createConnection(broker, 'right');
    const browser = createUserAgent();
    const started = [await begin(broker, 'left'), await begin(broker, 'right')];
    for (const { connect_url } of started) await browser.open(connect_url);
    for (const one of started) expect((await land(await signIn(one, {}, browser), browser)).status).toBe(200);
  });

  it('is the only way in where the deployment insists on it', async () => {
    await createConnection(strict, 'strict');
    const started = await begin(strict, 'strict');
    expect(started).toMatchObject({ authorization_url: null, state: null });
    const opener = createUserAgent();
    const page = await opener.open(started.connect_url);
    const start = linkOf(page.html);
    const redirect = await opener.browse(start);
    expect((await land(redirect)).status).toBe(400);
    expect((await land(redirect, opener)).html).toContain('is connected');
    expect((await detailOf(strict, 'strict')).json.status).toBe('completed');
  });

  it('leaves no way to finish unopened where the deployment insists on it', async () => {
    await createConnection(strict, 'unopened');
    const started = await begin(strict, 'unopened');
    // What an attacker would need: the state follows from the link, but the cookie only comes with the page.
    const html = (await land(started.connect_url)).html;
    const redirect = await createUserAgent().browse(linkOf(html));
    const calls = strict.server.tokens.count();
    expect((await land(redirect)).status).toBe(400);
    expect(strict.server.tokens.count()).toBe(calls);
  });
});

describe('GET connect, 404 as a page', () => {
  const expectNoLink = async (url: string) => {
    const page = await land(url);
    expect(page.status).toBe(404);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.headers.getSetCookie()).toEqual([]);
    expect(page.html).toContain('This link was used, has expired or was replaced');
  };

  it('for a token that nobody made, and for one that is the state', async () => {
    await createConnection(broker, 'guessed');
    const { state } = await begin(broker, 'guessed');
    for (const token of ['x', 'A'.repeat(43), '..%2f..', '%00x', state]) {
      const page = await land(`${broker.url}/api/connect/${token}`);
      expect(page.status === 404 || (token === '%00x' && page.status === 400), token).toBe(true);
      expect(page.headers.getSetCookie()).toEqual([]);
    }
    await expectNoLink(`${broker.url}/api/connect/${state}`);
  });

  it('once the authorization was finished', async () => {
    await createConnection(broker, 'used');
    const started = await begin(broker, 'used');
    await land(await signIn(started));
    await expectNoLink(started.connect_url);
  });

  it('once the authorization was cancelled', async () => {
    await createConnection(broker, 'cancelled');
    const started = await begin(broker, 'cancelled');
    await broker.call('POST', '/api/oauth/connections/cancelled/cancel', { body: {} });
    await expectNoLink(started.connect_url);
  });

  it('after ten minutes', async () => {
    await createConnection(broker, 'late');
    const started = await begin(broker, 'late');
    broker.clock.advance(600_001);
    await expectNoLink(started.connect_url);
  });

  it('400 for a token longer than any is, as a page', async () => {
    const page = await land(`${broker.url}/api/connect/${'x'.repeat(201)}`);
    expect(page.status).toBe(400);
    expect(page.headers.get('content-type')).toContain('text/html');
  });
});
