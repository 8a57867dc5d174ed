import * as oauth from 'oauth4webapi';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthorizationServer,
  browse,
  createUserAgent,
  hashOfToken,
  startAuthorizationServer,
} from '../../../support/authorization-server.ts';

const redirectUri = 'http://127.0.0.1:1/callback/any-name';
const insecure = { [oauth.allowInsecureRequests]: true };

let server: AuthorizationServer;
let as: oauth.AuthorizationServer;

beforeAll(async () => {
  server = await startAuthorizationServer();
  const issuer = new URL(server.issuer);
  as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
});
afterAll(() => server.stop());
afterEach(() => server.tokens.reset());

async function startUrl(extra: Record<string, string> = {}, clientId = 'app') {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.endpoints.authorization);
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...extra,
  }).toString();
  return { url, verifier, state };
}

const basic = () => oauth.ClientSecretBasic(server.clients.basic.clientSecret);

async function signIn(clientId = 'app', auth: oauth.ClientAuth = basic()) {
  const { url, verifier, state } = await startUrl({}, clientId);
  const client = { client_id: clientId };
  const parameters = oauth.validateAuthResponse(as, client, await browse(url), state);
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    auth,
    parameters,
    redirectUri,
    verifier,
    insecure,
  );
  return oauth.processAuthorizationCodeResponse(as, client, response);
}

const refresh = (token: string) => oauth.refreshTokenGrantRequest(as, { client_id: 'app' }, basic(), token, insecure);

describe('the test authorization server', () => {
  it('gives tokens for a code flow with PKCE, and says who it is in the callback', async () => {
    const { url } = await startUrl();
    expect((await browse(url)).searchParams.get('iss')).toBe(server.issuer);
    const tokens = await signIn();
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 300, scope: 'openid read' });
    expect(tokens.refresh_token).toBeTypeOf('string');
    const userinfo = await oauth.userInfoRequest(as, { client_id: 'app' }, tokens.access_token, insecure);
    expect(await userinfo.json()).toMatchObject({ sub: 'alice' });
  });

  it('serves each way of client authentication', async () => {
    const { post, privateKeyJwt, service } = server.clients;
    expect(await signIn('app-post', oauth.ClientSecretPost(post.clientSecret))).toHaveProperty('refresh_token');
    expect(await signIn('app-public', oauth.None())).toHaveProperty('refresh_token');
    const key = { key: privateKeyJwt.privateKey, kid: 'client-1' };
    expect(await signIn('app-pkjwt', oauth.PrivateKeyJwt(key))).toHaveProperty('refresh_token');
    const svc = { client_id: service.clientId };
    const scope = new URLSearchParams({ scope: 'read write' });
    const answer = await oauth.clientCredentialsGrantRequest(
      as,
      svc,
      oauth.ClientSecretBasic(service.clientSecret),
      scope,
      insecure,
    );
    expect(await oauth.processClientCredentialsResponse(as, svc, answer)).toMatchObject({ scope: 'read write' });
  });

  it('refuses a code request without PKCE, and a denied consent comes back as access_denied', async () => {
    const { url } = await startUrl();
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    expect((await browse(url)).searchParams.get('error')).toBe('invalid_request');
    const denied = await browse((await startUrl()).url, { deny: true });
    expect(denied.searchParams.get('error')).toBe('access_denied');
  });

  it('revokes the grant when an old refresh token is used again, and counts the submissions of each', async () => {
    const first = await signIn();
    const old = first.refresh_token ?? '';
    const second = (await (await refresh(old)).json()) as { refresh_token: string };
    expect(second.refresh_token).not.toBe(old);
    expect(await server.isActive(second.refresh_token)).toBe(true);
    expect(await (await refresh(old)).json()).toMatchObject({ error: 'invalid_grant' });
    expect(await server.isActive(second.refresh_token)).toBe(false);
    expect(server.tokens.count('refresh_token')).toBe(2);
    expect(server.tokens.refreshSubmissions().get(hashOfToken(old))).toBe(2);
  });

  it('lets one authorization live on when another of the same person is revoked', async () => {
    const agent = createUserAgent();
    const tokens = [];
    for (let i = 0; i < 2; i += 1) {
      const { url, verifier, state } = await startUrl();
      const parameters = oauth.validateAuthResponse(as, { client_id: 'app' }, await agent.browse(url), state);
      const response = await oauth.authorizationCodeGrantRequest(
        as,
        { client_id: 'app' },
        basic(),
        parameters,
        redirectUri,
        verifier,
        insecure,
      );
      tokens.push(await oauth.processAuthorizationCodeResponse(as, { client_id: 'app' }, response));
    }
    await oauth.revocationRequest(as, { client_id: 'app' }, basic(), tokens[0]?.refresh_token ?? '', insecure);
    expect(await server.isActive(tokens[0]?.refresh_token ?? '')).toBe(false);
    expect(await server.isActive(tokens[1]?.refresh_token ?? '')).toBe(true);
  });

  it('answers the next token requests as told, with or without the work done', async () => {
    const token = (await signIn()).refresh_token ?? '';
    server.tokens.respondNext({ status: 429, body: { error: 'slow_down' }, headers: { 'retry-after': '7' } });
    const limited = await refresh(token);
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7']);
    server.tokens.respondNext({ status: 500, body: 'oops', afterProcessing: true });
    const failed = await refresh(token);
    expect([failed.status, await failed.text()]).toEqual([500, 'oops']);
    expect((await refresh(token)).status).toBe(400);
  });

  it('drops and holds token requests on demand', async () => {
    const token = (await signIn()).refresh_token ?? '';
    server.tokens.dropNext();
    await expect(refresh(token)).rejects.toThrow();
    const held = server.tokens.holdNext({ at: 'answer' });
    let answered = false;
    const answer = refresh(token).finally(() => {
      answered = true;
    });
    await held.waiting();
    expect(answered).toBe(false);
    held.release();
    expect((await answer).status).toBe(200);
  });
});
