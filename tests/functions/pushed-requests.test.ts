import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUserAgent } from '../support/authorization-server.ts';
import { rowsOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, createConnection, credentialsOf, land, signIn } from './support/authorizing.ts';
import { startEndpoint } from './support/endpoint.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({
    server: {
      clients: [
        {
          client_id: 'pusher',
          client_secret: 'pusher-secret',
          redirect_uris: ['http://127.0.0.1/callback'],
          grant_types: ['authorization_code', 'refresh_token'],
          require_pushed_authorization_requests: true,
        },
      ],
    },
  });
});
afterAll(() => broker.stop());

const create = (name: string, changes: Readonly<Record<string, unknown>> = {}) =>
  createConnection(broker, name, {
    client_id: 'pusher',
    client_secret: 'pusher-secret',
    pushed_authorization_url: broker.server.endpoints.pushedAuthorization,
    ...changes,
  });

/** The page that the connect page leads to. */
async function linkOf(connectUrl: string, browser = createUserAgent()): Promise<string> {
  const page = await browser.open(connectUrl);
  expect(page.status, page.html).toBe(200);
  return (/class="go"[^>]*href="([^"]+)"/.exec(page.html)?.[1] ?? '').replaceAll('&amp;', '&');
}

describe('where the provider takes pushed requests', () => {
  it('the browser carries client and reference alone, and the authorization works where nothing else does (S-22)', async () => {
    await create('par', { extra_authorize_params: { prompt: 'consent' } });
    const started = await begin(broker, 'par', { login_hint: 'alice' });
    const page = new URL(started.authorization_url);
    expect([...page.searchParams.keys()]).toEqual(['client_id', 'request_uri']);
    const landed = await land(await signIn(started, { stopAt: `${broker.url}/api/oauth/callback/` }));
    expect(landed.status, landed.html).toBe(200);
    expect((await credentialsOf(broker, 'par')).status).toBe(200);
  });

  it('a provider that insists refuses the same connection without its endpoint', async () => {
    await create('plain', { pushed_authorization_url: null });
    const started = await begin(broker, 'plain');
    expect(new URL(started.authorization_url).searchParams.get('state')).toBe(started.state);
    const redirect = await signIn(started, { stopAt: `${broker.url}/api/oauth/callback/` });
    expect(redirect.searchParams.get('error')).toBe('invalid_request');
  });

  it('the connect page pushes anew each time it is opened: a reference is good for a minute', async () => {
    await create('linked');
    const { connect_url } = await begin(broker, 'linked');
    const browser = createUserAgent();
    const [first, second] = [await linkOf(connect_url, browser), await linkOf(connect_url, browser)];
    expect(first).not.toBe(second);
    expect([...new URL(second).searchParams.keys()]).toEqual(['client_id', 'request_uri']);
    const redirect = await browser.browse(second, { stopAt: `${broker.url}/api/oauth/callback/` });
    const landed = await browser.followTo(redirect);
    expect(landed.status, landed.html).toBe(200);
  });

  it('a link whose connection was changed leads nowhere', async () => {
    await create('changed');
    const { connect_url } = await begin(broker, 'changed');
    await broker.call('PUT', '/api/oauth/connections/changed', { body: { scopes: 'read' } });
    expect((await createUserAgent().open(connect_url)).status).toBe(404);
  });
});

describe('a request that cannot be pushed', () => {
  it('is an error page of the connect page, and the link works once the provider does', async () => {
    const endpoint = await startEndpoint();
    try {
      endpoint.answer('/par', { status: 201, body: { request_uri: 'urn:example:1', expires_in: 60 } });
      await create('down', { pushed_authorization_url: `${endpoint.url}/par` });
      const { connect_url } = await begin(broker, 'down');
      endpoint.answer('/par', { status: 503, body: {} });
      const page = await createUserAgent().open(connect_url);
      expect(page.status).toBe(503);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(page.html).toContain('The authorization request could not be pushed.');
      endpoint.answer('/par', { status: 201, body: { request_uri: 'urn:example:2', expires_in: 60 } });
      expect(new URL(await linkOf(connect_url)).searchParams.get('request_uri')).toBe('urn:example:2');
    } finally {
      await endpoint.stop();
    }
  });

  it('is a clear error of the call that begins, and nothing is pending', async () => {
    await create('wrong', { client_secret: 'wrong' });
    const answer = await broker.call('POST', '/api/oauth/connections/wrong/authorize', { body: {} });
    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({
      error: 'provider_rejected_client',
      message:
        'The authorization request could not be pushed. The provider rejected the client (invalid_client). Check client_id, client_secret and client_auth.',
    });
    const detail = await broker.call('GET', '/api/oauth/connections/wrong');
    expect(detail.json).toMatchObject({ status: 'not_connected', pending_authorization: false });
    expect((await rowsOf(broker, 'OAuthTransactions')).filter(({ connection }) => connection === 'wrong')).toEqual([]);
  });
});
