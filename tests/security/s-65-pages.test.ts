import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createConnection, credentialsOf, land, signIn } from '../functions/support/authorizing.ts';
import type { Page } from '../support/authorization-server/user-agent.ts';
import { createUserAgent } from '../support/authorization-server.ts';
import { issuedTokens } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let key: string;
let issued: ReturnType<typeof issuedTokens>;
const pages: { readonly what: string; readonly page: Page }[] = [];
const secrets = new Map<string, string>();

/** A whole authorization as a person sees it, with the page after each step that can go wrong. */
beforeAll(async () => {
  broker = await startTestBroker();
  issued = issuedTokens(broker);
  await createConnection(broker, 'crm');
  const made = await broker.call('POST', '/api/oauth/callers', { body: { name: 'asks', roles: ['operator'] } });
  key = made.json.api_key;
  const begin = async () => (await broker.call('POST', '/api/oauth/connections/crm/authorize', { key, body: {} })).json;

  const person = createUserAgent();
  const started = await begin();
  const opened = await person.open(started.connect_url);
  pages.push({ what: 'the connect page', page: opened });
  const redirect = await signIn(started, {}, person);
  pages.push({ what: 'another browser', page: await land(redirect) });
  pages.push({ what: 'the end', page: await land(redirect, person) });
  pages.push({ what: 'once more', page: await land(redirect, person) });
  pages.push({ what: 'a link that was used', page: await person.open(started.connect_url) });
  const refused = await signIn(await begin(), { deny: true });
  pages.push({ what: 'a refusal', page: await land(refused) });
  const failed = await signIn(await begin(), {});
  broker.server.tokens.respondNext({ status: 400, body: { error: 'invalid_grant', error_description: 'at-secret-1' } });
  pages.push({ what: 'a code that is refused', page: await land(failed) });
  pages.push({ what: 'the documentation', page: await person.open(`${broker.url}/api/docs`) });

  const cookie = opened.headers.getSetCookie()[0] ?? '';
  secrets.set('the API key', key.slice(-43));
  secrets.set('the client secret', broker.server.clients.basic.clientSecret);
  secrets.set('the browser’s key', cookie.slice(cookie.indexOf('=') + 1, cookie.indexOf(';')));
  for (const [at, url] of [redirect, refused, failed].entries()) {
    const code = url.searchParams.get('code');
    if (code !== null) secrets.set(`code ${at}`, code);
  }
  secrets.set('the access token', (await credentialsOf(broker, 'crm')).json.access_token);
  for (const [at, tokens] of issued.entries()) {
    secrets.set(`access token ${at}`, tokens.access_token);
    secrets.set(`refresh token ${at}`, tokens.refresh_token ?? tokens.access_token);
  }
});
afterAll(() => broker.stop());

describe('S-65 the pages that people see', () => {
  it('hold no token, code, key or secret, in no part of the answer but the cookie itself', () => {
    expect(secrets.size).toBeGreaterThanOrEqual(8);
    expect(pages).toHaveLength(8);
    for (const { what, page } of pages) {
      const headers = [...page.headers].filter(([name]) => name !== 'set-cookie');
      const whole = `${page.html} ${JSON.stringify(headers)}`;
      for (const [kind, secret] of secrets) expect(whole, `${what}: ${kind}`).not.toContain(secret);
    }
  });

  it('run nothing, load nothing and may be kept by nobody', () => {
    for (const { what, page } of pages) {
      expect(page.html, what).not.toMatch(/<(script|iframe|object|embed|img|link|base|form)\b|\son\w+\s*=|\bsrc\s*=/i);
      expect(page.headers.get('content-security-policy'), what).toMatch(/^default-src 'none'; style-src 'sha256-/);
      expect(page.headers.get('cache-control'), what).toBe('no-store');
    }
  });

  it('give the cookie once, to the browser that opened the link, and take it at the end (S-63)', () => {
    const cookies = pages.map(({ what, page }) => [what, page.headers.getSetCookie().length]);
    expect(cookies.filter(([, count]) => count !== 0).map(([what]) => what)).toEqual(
      expect.arrayContaining(['the connect page', 'the end']),
    );
    const [given] = pages[0]?.page.headers.getSetCookie() ?? [];
    expect(given).toMatch(/^__Host-bowline-[0-9a-f]{16}=[\w-]{43}; .*HttpOnly/i);
  });
});
