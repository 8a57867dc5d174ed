import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import {
  begin,
  createConnection,
  credentialsOf,
  detailOf,
  land,
  signIn,
  withParameters,
} from './support/authorizing.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

/** A connection whose authorization has come back to its callback, which nobody has opened yet. */
async function comeBack(name: string, options: Parameters<typeof signIn>[1] = {}) {
  await createConnection(broker, name);
  const started = await begin(broker, name);
  return { started, redirect: await signIn(started, options) };
}

/** Opens a callback that must be refused as a page, without a word to the provider. */
async function expectRefused(url: URL | string, browser = createUserAgent()) {
  const calls = broker.server.tokens.count();
  const page = await land(url, browser);
  expect(page.status, page.html).toBe(400);
  expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
  expect(broker.server.tokens.count()).toBe(calls);
  return page;
}

describe('GET callback, 200', () => {
  it('says that the connection is ready, and redeems the code once with the verifier and no secret in the URL', async () => {
    const { redirect } = await comeBack('ready');
    const calls = broker.server.tokens.count();
    const page = await land(redirect);
    expect(page.status).toBe(200);
    expect(page.html).toContain('is connected');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.html).not.toMatch(/<(script|img|link|iframe)\b|src=/i);
    expect(page.html).not.toContain(redirect.searchParams.get('code'));
    expect(broker.server.tokens.requests.slice(calls)).toMatchObject([
      { grantType: 'authorization_code', status: 200 },
    ]);
    expect(broker.server.tokens.requests.at(-1)?.parameters).toContain('code_verifier');
    const detail = await detailOf(broker, 'ready');
    expect(detail.json).toMatchObject({
      status: 'completed',
      status_reason: null,
      pending_authorization: false,
      has_refresh_token: true,
      granted_scopes: 'openid read',
      missing_scopes: [],
    });
  });

  it('takes the browser’s cookie away at the end', async () => {
    await createConnection(broker, 'forgetful');
    const started = await begin(broker, 'forgetful');
    const browser = createUserAgent();
    const [given] = (await browser.open(started.connect_url)).headers.getSetCookie();
    const page = await land(await signIn(started, {}, browser), browser);
    const [taken, ...more] = page.headers.getSetCookie();
    expect(more).toEqual([]);
    const [pair, ...attributes] = (taken ?? '').split('; ');
    expect(pair).toBe(`${given?.split('=')[0]}=`);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=0', 'Path=/', 'SameSite=Lax', 'Secure']);
    expect(browser.jar.header(new URL(broker.url))).not.toContain('__Host-bowline');
  });

  it('logs neither code nor state nor a token (S-30)', async () => {
    const { redirect } = await comeBack('quiet');
    await land(redirect);
    const { json } = await credentialsOf(broker, 'quiet');
    const log = `${broker.lines.join('\n')}\n${JSON.stringify(broker.host.lines)}`;
    for (const secret of [redirect.searchParams.get('code'), redirect.searchParams.get('state'), json.access_token]) {
      expect(secret).toBeTruthy();
      expect(log).not.toContain(secret);
    }
  });
});

describe('GET callback, 400 transaction_invalid', () => {
  it.each([
    ['no state', { state: null }],
    ['an empty state', { state: '' }],
    ['a made-up state', { state: 'x' }],
    ['a state of another kind', { state: Buffer.alloc(32, 7).toString('base64url') }],
    ['a state of 64 hex digits', { state: 'ab'.repeat(32) }],
    ['a state of 600 characters', { state: 'y'.repeat(600) }],
    ['a state with quotes', { state: "x' or PartitionKey ne '" }],
    ['a state with a NUL', { state: 'a\0b' }],
  ])('for %s; the real one still works (S-23)', async (what, change) => {
    const name = `unknown-${what.replace(/\W/g, '-')}`;
    const { redirect } = await comeBack(name);
    const page = await expectRefused(withParameters(redirect, change));
    expect(page.html).toContain('unknown, was finished already or has expired');
    expect((await land(redirect)).status).toBe(200);
  });

  it('for a state that is given twice', async () => {
    const { redirect } = await comeBack('doubled');
    const doubled = new URL(redirect);
    doubled.searchParams.append('state', redirect.searchParams.get('state') ?? '');
    await expectRefused(doubled);
    expect((await land(redirect)).status).toBe(200);
  });

  it('for the name of another connection in the path', async () => {
    await createConnection(broker, 'elsewhere');
    const { redirect } = await comeBack('here');
    await expectRefused(redirect.href.replace('/callback/here', '/callback/elsewhere'));
    expect((await detailOf(broker, 'elsewhere')).json.status).toBe('not_connected');
    expect((await land(redirect)).status).toBe(200);
  });

  it('for a name that is none', async () => {
    const page = await expectRefused(`${broker.url}/api/oauth/callback/no.name?state=x`);
    expect(page.html).toContain('connection_name');
  });

  it('for all but one of twenty callbacks at once: one token call, one grant (S-24, I17)', async () => {
    const { redirect } = await comeBack('replayed');
    const calls = broker.server.tokens.count();
    const pages = await Promise.all(Array.from({ length: 20 }, () => land(redirect)));
    expect(pages.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(400)]);
    expect(broker.server.tokens.count()).toBe(calls + 1);
    expect((await credentialsOf(broker, 'replayed')).json.method).toBe('saved_token');
  });

  it('for a callback that is repeated later', async () => {
    const { redirect } = await comeBack('repeated');
    await land(redirect);
    await expectRefused(redirect);
    expect((await detailOf(broker, 'repeated')).json.status).toBe('completed');
  });

  it('once the connection was deleted', async () => {
    const { redirect } = await comeBack('deleted');
    await broker.call('DELETE', '/api/oauth/connections/deleted');
    await expectRefused(redirect);
    expect((await detailOf(broker, 'deleted')).status).toBe(404);
  });

  it('after ten minutes (S-16)', async () => {
    const { redirect } = await comeBack('expired');
    broker.clock.advance(600_001);
    await expectRefused(redirect);
    expect((await detailOf(broker, 'expired')).json.status).toBe('not_connected');
  });
});

describe('GET callback, 400 callback_rejected: another browser (S-27)', () => {
  it('refuses a browser without the cookie, with another one’s or with a wrong one, and lets the right one finish', async () => {
    await createConnection(broker, 'bound');
    await createConnection(broker, 'other');
    const started = await begin(broker, 'bound');
    const right = createUserAgent();
    const [cookie = ''] = (await right.open(started.connect_url)).headers.getSetCookie();
    const redirect = await signIn(started, {}, right);

    expect((await expectRefused(redirect)).html).toContain('another browser');
    const stranger = createUserAgent();
    await stranger.open((await begin(broker, 'other')).connect_url);
    await expectRefused(redirect, stranger);
    const forger = createUserAgent();
    forger.jar.store(new URL(broker.url), [`${cookie.split('=')[0]}=${'A'.repeat(43)}; Path=/`]);
    await expectRefused(redirect, forger);
    expect((await detailOf(broker, 'bound')).json.status).toBe('waiting_callback');

    expect((await land(redirect, right)).html).toContain('is connected');
  });

  it('binds as soon as the link is opened, also when the authorization URL was used before', async () => {
    const { started, redirect } = await comeBack('late-bound');
    const opener = createUserAgent();
    await opener.open(started.connect_url);
    await expectRefused(redirect);
    expect((await land(redirect, opener)).status).toBe(200);
  });
});

describe('GET callback, refused for what it says; the state is used up', () => {
  const variants = {
    'another issuer': () => 'https://evil.example',
    'a slash more': () => `${broker.server.issuer}/`,
    'other letters': () => broker.server.issuer.replace('http', 'HTTP'),
    'no text': () => '',
  };
  it.each(Object.entries(variants))('an iss of %s, exactly (S-25)', async (what, iss) => {
    const { redirect } = await comeBack(`iss-${what.replace(/\W/g, '-')}`);
    const page = await expectRefused(withParameters(redirect, { iss: iss() }));
    expect(page.html).toContain('another authorization server');
    await expectRefused(redirect);
  });

  it('a wrong iss on an error answer, which then means nothing', async () => {
    const { redirect } = await comeBack('iss-error', { deny: true });
    await expectRefused(withParameters(redirect, { iss: 'https://evil.example' }));
    expect((await detailOf(broker, 'iss-error')).json).toMatchObject({
      status: 'failed',
      status_reason: 'authorization_failed',
    });
  });

  it.each(['code', 'iss', 'error', 'id_token'])('two values for %s', async (parameter) => {
    const { redirect } = await comeBack(`two-${parameter.replace('_', '-')}`);
    const doubled = new URL(redirect);
    doubled.searchParams.append(parameter, 'a');
    doubled.searchParams.append(parameter, 'b');
    await expectRefused(doubled);
    await expectRefused(redirect);
  });

  it('no code', async () => {
    const { redirect } = await comeBack('codeless');
    const page = await expectRefused(withParameters(redirect, { code: null }));
    expect(page.html).toContain('no authorization code');
  });

  it('a refusal at the provider: failed, access_denied', async () => {
    const { redirect } = await comeBack('denied', { deny: true });
    const page = await expectRefused(redirect);
    expect(page.html).toContain('access_denied');
    expect((await detailOf(broker, 'denied')).json).toMatchObject({
      status: 'failed',
      status_reason: 'access_denied',
      status_message: expect.stringContaining('denied'),
      pending_authorization: false,
    });
  });

  it('an error whose description is hostile: nothing of it is shown, and the log has one line of it (S-29, S-59)', async () => {
    const { redirect } = await comeBack('hostile', { deny: true });
    const before = broker.lines.length;
    const hostile = '<script>alert(1)</script>\r\n{"level":"error","event":"forged"}\u2028\u001b[31m';
    const url = withParameters(redirect, { error: 'server_error', error_description: hostile + 'z'.repeat(4000) });
    const page = await expectRefused(url);
    expect(page.html).not.toMatch(/<script|alert\(1\)|forged|zzz/);
    const lines = broker.lines.slice(before);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    expect(lines.map((line) => JSON.parse(line).event)).not.toContain('forged');
    expect(lines.join('')).not.toContain('z'.repeat(200));
  });
});
