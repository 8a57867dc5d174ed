import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGuardedFetch } from '../../../src/adapters/outbound-http/guarded-fetch.ts';
import { type ConnectionConfig, type Endpoints, noEndpoints } from '../../../src/domain/connection.ts';
import { unknownProfile } from '../../../src/domain/provider.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { TokenSet } from '../../../src/domain/token-set.ts';
import { createAuthorizationServer } from '../../../src/oauth/authorization-server.ts';
import type { OAuthClient } from '../../../src/ports/authorization-server.ts';
import {
  browse,
  type SignInOptions,
  startAuthorizationServer,
  type AuthorizationServer as TestServer,
} from '../../support/authorization-server.ts';

const redirectUri = 'http://127.0.0.1:1/api/oauth/callback/crm';
const odd = { clientId: 'odd:id & more', clientSecret: 'p%+q/ :-_~!' };
const token = (bytes: number) => new Secret(randomBytes(bytes).toString('base64url'));

const guarded = createGuardedFetch({ allowInsecureLoopback: true });
let provider: TestServer;
let oauth: ReturnType<typeof createAuthorizationServer>;

beforeAll(async () => {
  provider = await startAuthorizationServer({
    clients: [
      {
        client_id: odd.clientId,
        client_secret: odd.clientSecret,
        redirect_uris: [redirectUri],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
  });
  oauth = createAuthorizationServer({
    fetch: guarded.fetch,
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    allowInsecureLoopback: true,
    random: { id: () => randomUUID() },
  });
});

beforeEach(() => provider.tokens.reset());

afterAll(async () => {
  await provider.stop();
  await guarded.close();
});

type Changes = Partial<Omit<ConnectionConfig, 'endpoints'>> & { secret?: string; endpoints?: Partial<Endpoints> };

function clientOf({ secret, endpoints, ...changes }: Changes = {}): OAuthClient {
  const { issuer, endpoints: urls } = provider;
  return {
    profile: unknownProfile,
    redirectUri,
    clientSecret: new Secret(secret ?? provider.clients.basic.clientSecret),
    signingKey: new Secret(JSON.stringify(provider.clients.privateKeyJwt.privateJwk)),
    config: {
      flowType: 'authorization_code',
      provider: null,
      variables: {},
      clientId: provider.clients.basic.clientId,
      clientAuth: 'client_secret_basic',
      endpoints: {
        ...noEndpoints,
        authorizationUrl: urls.authorization,
        tokenUrl: urls.token,
        issuer,
        revocationUrl: urls.revocation,
        userinfoUrl: urls.userinfo,
        testUrl: urls.userinfo,
        ...endpoints,
      },
      scopes: 'openid offline_access read',
      scopeSeparator: 'space',
      extraAuthorizeParams: { prompt: 'consent' },
      extraTokenParams: {},
      fallbackClientCredentials: false,
      clientSecretExpiresAt: null,
      description: null,
      tags: [],
      sharedWith: [],
      ...changes,
    },
  };
}

/** Begins an authorization and walks it to the callback. */
async function authorize(client: OAuthClient, options?: SignInOptions) {
  const state = token(32);
  const own = { redirectUri, codeVerifier: token(48), nonce: token(16) };
  const { scopes } = client.config;
  const url = new URL(await oauth.authorizationUrl(client, { ...own, scopes, loginHint: null, prompt: null }));
  url.searchParams.set('state', state.reveal());
  const callback = await browse(url, options);
  return { ...own, state, parameters: callback.searchParams };
}

async function connect(client: OAuthClient): Promise<TokenSet> {
  return oauth.redeemCode(client, await authorize(client));
}

function refreshTokenOf({ tokens }: TokenSet): Secret {
  if (tokens.refreshToken === null) throw new Error('there is no refresh token');
  return tokens.refreshToken;
}

function accessTokenOf({ tokens }: TokenSet): Secret {
  if (tokens.accessToken === null) throw new Error('there is no access token');
  return tokens.accessToken;
}

describe('the code flow at a real authorization server', () => {
  test('gives tokens, their life and their scopes, and the account of the ID token', async () => {
    const before = Date.now();
    const issued = await connect(clientOf());
    expect(issued).toMatchObject({
      scopes: 'openid offline_access read',
      tokens: { tokenType: 'Bearer', account: 'alice' },
    });
    expect(issued.expiresAt).toBe(issued.requestedAt + 300_000);
    expect(issued.requestedAt).toBeGreaterThanOrEqual(before);
    expect(await provider.isActive(accessTokenOf(issued).reveal())).toBe(true);
    expect(issued.tokens.metadata).toEqual({});
  });

  test('trusts no ID token where the issuer is not known, and ignores iss', async () => {
    const issued = await connect(clientOf({ endpoints: { issuer: null } }));
    expect(issued.tokens.account).toBeNull();
  });

  test.each([
    ['client_secret_basic', () => ({})],
    ['client_secret_basic', () => ({ clientId: odd.clientId, secret: odd.clientSecret })],
    ['client_secret_basic_raw', () => ({})],
    [
      'client_secret_post',
      () => ({ clientId: provider.clients.post.clientId, secret: provider.clients.post.clientSecret }),
    ],
    ['private_key_jwt', () => ({ clientId: provider.clients.privateKeyJwt.clientId })],
    ['none', () => ({ clientId: provider.clients.none.clientId })],
  ] as const)('works with %s, and so does the refresh', async (clientAuth, changes) => {
    const client = clientOf({ clientAuth, ...changes() });
    const first = await connect(client);
    const second = await oauth.refresh(client, refreshTokenOf(first));
    expect(accessTokenOf(second).reveal()).not.toBe(accessTokenOf(first).reveal());
    expect(provider.tokens.count()).toBe(2);
  });

  test('a code is worth nothing without the verifier that it was asked with', async () => {
    const redemption = { ...(await authorize(clientOf())), codeVerifier: token(48) };
    await expect(oauth.redeemCode(clientOf(), redemption)).rejects.toMatchObject({ code: 'needs_reauthorization' });
  });

  test('a code cannot be redeemed twice', async () => {
    const redemption = await authorize(clientOf());
    await oauth.redeemCode(clientOf(), redemption);
    await expect(oauth.redeemCode(clientOf(), redemption)).rejects.toMatchObject({
      code: 'needs_reauthorization',
      message: 'The provider did not accept the authorization (invalid_grant). Authorize again.',
    });
  });

  test('a refused consent is access_denied, and no token request is made', async () => {
    const redemption = await authorize(clientOf(), { deny: true });
    await expect(oauth.redeemCode(clientOf(), redemption)).rejects.toMatchObject({
      code: 'callback_rejected',
      extra: { status_reason: 'access_denied' },
    });
    expect(provider.tokens.count()).toBe(0);
  });

  test('a callback of another state or another issuer makes no token request', async () => {
    const redemption = await authorize(clientOf());
    const wrongState = oauth.redeemCode(clientOf(), { ...redemption, state: token(32) });
    await expect(wrongState).rejects.toMatchObject({ code: 'callback_rejected' });
    const slash = clientOf({ endpoints: { issuer: `${provider.issuer}/` } });
    await expect(oauth.redeemCode(slash, redemption)).rejects.toMatchObject({ code: 'callback_rejected' });
    expect(provider.tokens.count()).toBe(0);
  });

  test('an ID token for another nonce is rejected', async () => {
    const redemption = { ...(await authorize(clientOf())), nonce: token(16) };
    await expect(oauth.redeemCode(clientOf(), redemption)).rejects.toMatchObject({
      code: 'callback_rejected',
      detail: 'ID token: unexpected ID Token "nonce" claim value',
    });
  });
});

describe('a refresh at a real authorization server', () => {
  test('rotates, and a refresh token that is used again kills the grant', async () => {
    const first = await connect(clientOf());
    const second = await oauth.refresh(clientOf(), refreshTokenOf(first));
    expect(refreshTokenOf(second).reveal()).not.toBe(refreshTokenOf(first).reveal());
    for (const { tokens } of [first, second]) {
      await expect(oauth.refresh(clientOf(), tokens.refreshToken as Secret)).rejects.toMatchObject({
        code: 'needs_reauthorization',
        message: 'The provider no longer accepts this grant (invalid_grant). A person has to authorize again.',
      });
    }
  });

  test('with a wrong client secret leaves the grant alone', async () => {
    const issued = await connect(clientOf());
    await expect(oauth.refresh(clientOf({ secret: 'wrong' }), refreshTokenOf(issued))).rejects.toMatchObject({
      code: 'provider_rejected_client',
      message: 'The provider rejected the client (invalid_client). Check client_id, client_secret and client_auth.',
    });
    await expect(oauth.refresh(clientOf(), refreshTokenOf(issued))).resolves.toBeDefined();
  });

  test('that gets no answer, or a canned one, is judged through the guarded client', async () => {
    const refresh = () => oauth.refresh(clientOf(), new Secret('unknown'));
    provider.tokens.dropNext();
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_unavailable' });
    provider.tokens.respondNext({ status: 503, body: '<html>', headers: { 'retry-after': '17' } });
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_unavailable', retryAfterSeconds: 17 });
    provider.tokens.respondNext({ status: 307, headers: { location: `${provider.issuer}/elsewhere` } });
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_answer_invalid' });
    provider.tokens.respondNext({ status: 200, body: { access_token: 'x'.repeat(2 ** 21) } });
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_answer_invalid' });
    expect(provider.tokens.count()).toBe(4);
  });

  test('whose time is up gives up, and whatever arrives later is nobody’s', async () => {
    const limit = new AbortController();
    const { fetch } = guarded;
    const clock = { now: () => Date.now(), sleep: () => Promise.resolve() };
    const limited = createAuthorizationServer({
      random: { id: () => randomUUID() },
      fetch,
      clock,
      allowInsecureLoopback: true,
      timeLimit: () => limit.signal,
    });
    const held = provider.tokens.holdNext();
    const late = limited.refresh(clientOf(), new Secret('unknown')).catch((error: unknown) => error);
    await held.waiting();
    limit.abort();
    expect(await late).toMatchObject({ code: 'provider_unavailable', detail: 'timeout' });
    held.release();
  });
});

describe('the other endpoints of a real authorization server', () => {
  const service = () => {
    const { clientId, clientSecret: secret } = provider.clients.service;
    return clientOf({ flowType: 'client_credentials', clientId, secret, scopes: 'read,write' });
  };

  test('client credentials give a token without a refresh token', async () => {
    const issued = await oauth.mint(service());
    expect(issued).toMatchObject({ scopes: 'read write', tokens: { refreshToken: null, account: null } });
    expect(await provider.isActive(accessTokenOf(issued).reveal())).toBe(true);
  });

  test('client credentials note which scopes were granted of those asked for', async () => {
    const client = service();
    const issued = await oauth.mint({ ...client, config: { ...client.config, scopes: 'read nonsense' } });
    expect(issued.scopes).toBe('read');
  });

  test('client credentials of a client that may not have them are provider_rejected_request', async () => {
    await expect(oauth.mint(clientOf({ scopes: 'read' }))).rejects.toMatchObject({
      code: 'provider_rejected_request',
      detail: 'status 400, invalid_request: requested grant type is not allowed for this client',
    });
  });

  test('userinfo names the account, the probe accepts the token, and revocation ends both', async () => {
    const issued = await connect(clientOf());
    const accessToken = accessTokenOf(issued);
    expect(await oauth.account(clientOf(), accessToken)).toBe('alice');
    expect(await oauth.probe(clientOf(), accessToken)).toMatchObject({ outcome: 'accepted' });

    expect(await oauth.revoke(clientOf(), issued.tokens)).toBe(true);

    expect(await provider.isActive(accessToken.reveal())).toBe(false);
    expect(await provider.isActive(refreshTokenOf(issued).reveal())).toBe(false);
    expect(await oauth.probe(clientOf(), accessToken)).toMatchObject({ outcome: 'rejected' });
    await expect(oauth.account(clientOf(), accessToken)).rejects.toMatchObject({ code: 'provider_rejected_token' });
  });

  test('revocation with a wrong client secret is provider_rejected_client', async () => {
    const issued = await connect(clientOf());
    await expect(oauth.revoke(clientOf({ secret: 'wrong' }), issued.tokens)).rejects.toMatchObject({
      code: 'provider_rejected_client',
    });
    expect(await provider.isActive(refreshTokenOf(issued).reveal())).toBe(true);
  });
});
