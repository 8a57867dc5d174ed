import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted, createMinting, createRefreshing, failNext } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const put = (name: string, body: unknown) => broker.call('PUT', `/api/oauth/connections/${name}`, { body });
const rejected = { status: 'failed', status_reason: 'provider_rejected_client' };
const settled = { status_reason: null, status_message: null, failure: null };

describe('PUT with a new client_secret after the provider rejected the client', () => {
  it('reads not_connected without a failure for client credentials, and the next read gets a token at once', async () => {
    await createMinting(broker, 'minting', { client_secret: 'a-wrong-one' });
    expect((await credentialsOf(broker, 'minting')).status).toBe(503);
    expect((await detailOf(broker, 'minting')).json).toMatchObject(rejected);
    const changed = await put('minting', { client_secret: broker.server.clients.service.clientSecret });
    expect(changed).toMatchObject({ status: 200, json: { status: 'not_connected', ...settled } });
    expect((await detailOf(broker, 'minting')).json).toMatchObject({ status: 'not_connected', ...settled });
    expect(await credentialsOf(broker, 'minting')).toMatchObject({
      status: 200,
      json: { method: 'client_credentials' },
    });
  });

  it('reads completed without a failure where a refresh token is there, and the next read uses it at once', async () => {
    await createGranted(broker, 'refreshing', { expires_in: 300 });
    broker.clock.advance(301_000);
    failNext(broker, 401, 'invalid_client');
    expect((await credentialsOf(broker, 'refreshing')).status).toBe(503);
    expect((await detailOf(broker, 'refreshing')).json).toMatchObject(rejected);
    expect((await put('refreshing', { client_secret: 'a-new-one' })).json).toMatchObject({
      status: 'completed',
      has_refresh_token: true,
      ...settled,
    });
    expect((await detailOf(broker, 'refreshing')).json).toMatchObject({ status: 'completed', ...settled });
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'refreshing')).json).toMatchObject({
      access_token: next.access_token,
      method: 'refreshed',
    });
  });

  it('forgets the failure of a connection whose token lives', async () => {
    const { access_token } = await createGranted(broker, 'living', { expires_in: 300 });
    broker.clock.advance(280_000);
    failNext(broker, 401, 'invalid_client');
    await credentialsOf(broker, 'living');
    expect((await detailOf(broker, 'living')).json.failure.code).toBe('provider_rejected_client');
    expect((await put('living', { client_secret: 'a-new-one' })).json).toMatchObject({
      status: 'completed',
      ...settled,
    });
    failNext(broker, 503, 'temporarily_unavailable');
    expect((await credentialsOf(broker, 'living')).json.access_token).toBe(access_token);
  });
});

describe('PUT', () => {
  it('with a new client_secret leaves a connection failed that a person must authorize', async () => {
    await createRefreshing(broker, 'dead');
    failNext(broker, 400, 'invalid_grant');
    await credentialsOf(broker, 'dead');
    expect((await put('dead', { client_secret: 'a-new-one' })).json).toMatchObject({
      status: 'failed',
      status_reason: 'needs_reauthorization',
      has_refresh_token: false,
    });
  });

  it('without a client_secret leaves the provider’s rejection as it stands', async () => {
    await createMinting(broker, 'still-rejected', { client_secret: 'a-wrong-one' });
    await credentialsOf(broker, 'still-rejected');
    expect((await put('still-rejected', { description: 'New' })).json).toMatchObject({
      ...rejected,
      failure: { code: 'provider_rejected_client' },
    });
  });
});
