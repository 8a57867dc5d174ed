import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as oauth from 'oauth4webapi';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type DemoProvider, startDemoProvider } from '../../../../src/host/services/demo-provider/index.ts';
import { browse, createUserAgent } from '../../../support/authorization-server.ts';

const callbackPrefix = 'http://127.0.0.1:7071/api/oauth/callback/';
const redirectUri = `${callbackPrefix}any-name`;
const insecure = { [oauth.allowInsecureRequests]: true };
const client = { client_id: 'bowline-demo' };

let folder: string;
let demo: DemoProvider;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bowline-demo-'));
  demo = await start();
});
afterEach(async () => {
  await demo.stop();
  await rm(folder, { recursive: true });
});

const start = (port = 0) => startDemoProvider({ folder, port, callbackPrefix: () => callbackPrefix });
const auth = () => oauth.ClientSecretBasic(demo.clientSecret);

async function restart(): Promise<void> {
  await demo.stop();
  demo = await start(demo.port);
  // The client's pool still holds connections to the server that stopped.
  await vi.waitFor(metadata);
}

async function metadata(): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(demo.issuer);
  return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
}

async function startUrl(extra: Record<string, string> = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(demo.endpoints.authorization);
  url.search = new URLSearchParams({
    client_id: demo.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile email read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...extra,
  }).toString();
  return { url, verifier, state };
}

async function signIn(): Promise<{ accessToken: string; refreshToken: string }> {
  const as = await metadata();
  const { url, verifier, state } = await startUrl();
  const parameters = oauth.validateAuthResponse(as, client, await browse(url), state);
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    auth(),
    parameters,
    redirectUri,
    verifier,
    insecure,
  );
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response);
  expect(tokens).toMatchObject({ expires_in: 600, scope: 'openid profile email read' });
  return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token ?? '' };
}

async function refresh(token: string): Promise<{ refresh_token: string; access_token: string; error?: string }> {
  const response = await oauth.refreshTokenGrantRequest(await metadata(), client, auth(), token, insecure);
  return (await response.json()) as { refresh_token: string; access_token: string; error?: string };
}

const userinfo = (token: string) => fetch(demo.endpoints.userinfo, { headers: { authorization: `Bearer ${token}` } });

describe('the demo authorization server', () => {
  it('gives a token after signing in and allowing, and userinfo knows who it was', async () => {
    const { accessToken } = await signIn();
    expect(await (await userinfo(accessToken)).json()).toEqual({
      sub: 'alice',
      name: 'alice',
      preferred_username: 'alice',
      email: 'alice@example.com',
      email_verified: true,
    });
  });

  it('sends the refusal of the person back as access_denied', async () => {
    const { url, state } = await startUrl();
    const callback = await browse(url, { deny: true });
    expect(Object.fromEntries(callback.searchParams)).toMatchObject({
      error: 'access_denied',
      state,
      iss: demo.issuer,
    });
  });

  it('gives its client a token of its own', async () => {
    const as = await metadata();
    const scope = new URLSearchParams({ scope: 'read' });
    const response = await oauth.clientCredentialsGrantRequest(as, client, auth(), scope, insecure);
    expect(await oauth.processClientCredentialsResponse(as, client, response)).toMatchObject({
      scope: 'read',
      expires_in: 600,
    });
  });

  it('keeps issuer, client and every refresh token over restarts, and still detects reuse', async () => {
    const { issuer, clientSecret } = demo;
    const { accessToken, refreshToken } = await signIn();
    await restart();
    expect(demo).toMatchObject({ issuer, clientSecret });
    expect((await userinfo(accessToken)).status).toBe(200);
    const second = await refresh(refreshToken);
    await restart();
    const third = await refresh(second.refresh_token);
    expect(third.access_token).toBeTypeOf('string');
    await restart();
    expect(await refresh(refreshToken)).toMatchObject({ error: 'invalid_grant' });
    expect(await refresh(third.refresh_token)).toMatchObject({ error: 'invalid_grant' });
  });

  it('knows every token it gave out after a crash that tore the last line', async () => {
    const { refreshToken } = await signIn();
    await demo.stop();
    await appendFile(join(folder, 'grants.jsonl'), '{"put":{"key":"RefreshTo');
    demo = await start(demo.port);
    await vi.waitFor(metadata);
    expect((await refresh(refreshToken)).access_token).toBeTypeOf('string');
    await restart();
    expect((await metadata()).issuer).toBe(demo.issuer);
  });

  it('honours a revocation', async () => {
    const { refreshToken } = await signIn();
    await oauth.revocationRequest(await metadata(), client, auth(), refreshToken, insecure);
    expect(await refresh(refreshToken)).toMatchObject({ error: 'invalid_grant' });
  });

  it.each([
    'http://127.0.0.1:7071/api/oauth/other',
    `${callbackPrefix}../../evil`,
    'http://127.0.0.1:7071.evil.example/api/oauth/callback/x',
    `${callbackPrefix}x?next=evil`,
  ])('sends nobody to the redirect URI %s', async (redirect) => {
    const page = await createUserAgent().open((await startUrl({ redirect_uri: redirect })).url);
    expect([page.status, page.location]).toEqual([400, null]);
    expect(page.html).toContain('redirect_uri');
  });

  it('requires PKCE', async () => {
    const { url } = await startUrl();
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    expect((await browse(url)).searchParams.get('error')).toBe('invalid_request');
  });

  it('shows pages that load nothing, cannot be framed and escape what they show', async () => {
    const { url } = await startUrl({ login_hint: '"><script>alert(1)</script>' });
    const agent = createUserAgent();
    const first = await agent.open(url);
    const page = await agent.open(first.location ?? '');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(page.html).not.toContain('<script');
    expect(page.html).not.toMatch(/(src|href)=/);
    expect(page.html).toContain('Any name signs in');
  });

  it('asks again when the name is not one, and says so', async () => {
    const agent = createUserAgent();
    const page = (await agent.open((await startUrl()).url)).location ?? new URL(demo.issuer);
    await agent.open(page);
    const body = new URLSearchParams({ login: '<b>', decision: 'sign-in' });
    const answer = await fetch(page, { method: 'POST', body, headers: { cookie: agent.jar.header(page) } });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toMatch(/Enter a name, like alice\.[\s\S]*value="&#60;b&#62;"/);
  });

  it('explains a sign-in that has lapsed', async () => {
    const page = await createUserAgent().open(`${demo.issuer}/interaction/unknown`);
    expect([page.status, page.html]).toEqual([400, expect.stringContaining('has lapsed')]);
  });

  it('keeps its state in files for the owner alone', async () => {
    await signIn();
    for (const file of ['server.json', 'grants.jsonl']) {
      expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
    }
  });

  it('refuses damaged or newer state with one clear line and leaves it alone', async () => {
    await demo.stop();
    for (const [file, text, message] of [
      ['server.json', '{', 'is damaged'],
      ['server.json', '{"schema_version":9}', 'newer Bowline'],
      ['grants.jsonl', '{"schema_version":9}\n', 'newer Bowline'],
      ['grants.jsonl', '', 'is damaged'],
      ['grants.jsonl', '{"schema_version":1}\nnonsense\n{"remove":[]}\n', 'is damaged'],
    ] as const) {
      const kept = await readFile(join(folder, file), 'utf8');
      await writeFile(join(folder, file), text);
      await expect(start()).rejects.toMatchObject({ name: 'StartFailure', message: expect.stringContaining(message) });
      expect(await readFile(join(folder, file), 'utf8')).toBe(text);
      await writeFile(join(folder, file), kept);
    }
    demo = await start(demo.port);
  });
});
