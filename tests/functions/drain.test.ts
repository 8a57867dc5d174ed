import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rowOf, rowsOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { begin, createConnection, credentialsOf, land, signIn } from './support/authorizing.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createGranted, createRefreshing, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
let endpoint: Endpoint;
let letGo: () => void = () => {};
beforeEach(async () => {
  [broker, endpoint] = await Promise.all([startTestBroker(), startEndpoint()]);
});
afterEach(async () => {
  letGo();
  await broker.stop();
  await endpoint.stop();
});

describe('a process that drains', () => {
  it('waits until the refresh in flight is committed, and its caller gets the token', async () => {
    const tokens = tokenAnswer();
    endpoint.answer('/token', { status: 200, body: tokens });
    await createRefreshing(broker, 'in-flight', { token_url: `${endpoint.url}/token` });
    letGo = endpoint.hold('/token').release;
    const pending = credentialsOf(broker, 'in-flight');
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(1));
    let isDrained = false;
    const drained = broker.composition.broker.drain().then(() => {
      isDrained = true;
    });
    // A whole request later it still waits.
    expect((await broker.call('GET', '/api/oauth/connections/in-flight')).status).toBe(200);
    expect(isDrained).toBe(false);
    letGo();
    await drained;
    expect(await rowOf(broker, 'in-flight')).toMatchObject({ has_tokens: true, lease_owner: '' });
    expect((await pending).json.access_token).toBe(tokens.access_token);
  });

  it('waits for a callback that redeems its code, and looks whose account it is, until its tokens are stored', async () => {
    await createConnection(broker, 'signing-in', { userinfo_url: `${endpoint.url}/me`, issuer: null, scopes: 'read' });
    const redirect = await signIn(await begin(broker, 'signing-in'));
    const exchange = broker.server.tokens.holdNext({ at: 'answer' });
    const userinfo = endpoint.hold('/me');
    const page = land(redirect);
    await exchange.waiting();
    const stopped = broker.composition.stop();
    exchange.release();
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(1));
    endpoint.answer('/me', { status: 200, body: { sub: 'somebody' } });
    userinfo.release();
    await stopped;
    expect(await rowOf(broker, 'signing-in')).toMatchObject({ status: 'completed', has_tokens: true });
    expect((await page).status).toBe(200);
    expect(broker.lines.filter((line) => line.includes('userinfo_failed'))).toEqual([]);
  });

  it('waits for a revocation', async () => {
    await createGranted(broker, 'cut', {}, {}, { revocation_url: `${endpoint.url}/revoke` });
    letGo = endpoint.hold('/revoke').release;
    const cut = broker.call('POST', '/api/oauth/connections/cut/disconnect', { body: {} });
    await vi.waitFor(() => expect(endpoint.requests).toHaveLength(1));
    const stopped = broker.composition.stop();
    letGo();
    await stopped;
    expect((await cut).json).toMatchObject({ revoked: true });
  });

  it('asks nothing about a device any more, and another process finishes what it began', async () => {
    const device = { device_code: 'dc-1', user_code: 'ABCD', verification_uri: `${endpoint.url}/page`, interval: 5 };
    endpoint.answer('/device', { status: 200, body: device });
    endpoint.answer('/token', { status: 200, body: tokenAnswer() });
    const body = broker.connectionBody('tv', {
      oauth_flow_type: 'device_code',
      authorization_url: null,
      userinfo_url: null,
      issuer: null,
      token_url: `${endpoint.url}/token`,
      device_authorization_url: `${endpoint.url}/device`,
    });
    expect((await broker.call('POST', '/api/oauth/connections', { body })).status).toBe(201);
    expect((await broker.call('POST', '/api/oauth/connections/tv/authorize', { body: {} })).status).toBe(200);
    const [transaction] = await rowsOf(broker, 'OAuthTransactions');
    const step = { stateHash: String(transaction?.rowKey), step: 0, notBefore: 0, intervalSeconds: 5 };
    const keys = broker.settings.encryptionKeys.map((key) => key.reveal()).join(',');
    const another = await startTestBroker({ beside: broker, settings: { OAUTH_TOKEN_ENCRYPTION_KEY: keys } });
    try {
      await broker.composition.broker.drain();
      const asked = broker.composition.broker.pollDevice({ ...step, isRedelivered: false });
      await expect(asked).rejects.toMatchObject({ code: 'refresh_in_progress' });
      expect(endpoint.requests.filter((request) => request.startsWith('/token'))).toEqual([]);
      expect(await another.composition.broker.pollDevice({ ...step, isRedelivered: true })).toBeNull();
      expect(await rowOf(broker, 'tv')).toMatchObject({ status: 'completed', has_tokens: true });
    } finally {
      await another.stop();
    }
  });

  it('claims nothing new: 503 refresh_in_progress, and the provider is not called', async () => {
    await createRefreshing(broker, 'too-late', { token_url: `${endpoint.url}/token` });
    await broker.composition.broker.drain();
    expect(await credentialsOf(broker, 'too-late')).toMatchObject({
      status: 503,
      json: { error: 'refresh_in_progress' },
    });
    expect(endpoint.requests).toEqual([]);
    expect((await rowOf(broker, 'too-late'))?.lease_owner).toBeFalsy();
  });
});
