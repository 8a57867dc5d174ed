import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rowOf, rowsOf, secretInVault } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { type Endpoint, startEndpoint } from './support/endpoint.ts';
import { createGranted } from './support/granted.ts';

let broker: TestBroker;
let provider: Endpoint;
beforeAll(async () => {
  [broker, provider] = await Promise.all([startTestBroker(), startEndpoint()]);
});
afterEach(() => provider.answer('/revoke', { status: 200, body: {} }));
afterAll(() => Promise.all([broker.stop(), provider.stop()]));

const post = (path: string, body: unknown) => broker.call('POST', `/api/oauth/${path}`, { body });
const disconnect = (name: string) => post(`connections/${name}/disconnect`, {});
const pending = () => rowsOf(broker, 'OAuthRevocations');
const revokedOf = (token: string) => provider.requests.filter((request) => request.includes(token));
const here = () => ({ revocation_url: `${provider.url}/revoke` });
const unwell = () => provider.answer('/revoke', { status: 503, body: {} });
const postponed = () => expect.poll(async () => (await pending()).map(({ attempts }) => attempts)).toEqual(['1']);
/** A sweep after the backoff. */
const sweepLater = async () => {
  broker.clock.advance(400_000);
  await broker.host.runTimer('refreshSweep');
};
/** In the form, or by HTTP Basic, whose parts are form-encoded (RFC 6749 section 2.3.1). */
const hasSecret = (authorization: string, body: string, secret: string) => {
  const basic = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
  return new URLSearchParams(body).get('client_secret') === secret || decodeURIComponent(basic).endsWith(`:${secret}`);
};

describe('S-39 a revocation whose client the provider rejects', () => {
  const rejecting = () => provider.answer('/revoke', { status: 401, body: { error: 'invalid_client' } });
  const put = (name: string, body: unknown) => broker.call('PUT', `/api/oauth/connections/${name}`, { body });

  it('is made with the secret before, while the provider does not know the new one', async () => {
    const { refresh_token } = await createGranted(broker, 'rotating', {}, {}, here());
    expect((await put('rotating', { client_secret: 'not-known-yet' })).json.has_previous_client_secret).toBe(true);
    provider.answer('/revoke', ({ authorization, body }) => ({
      status: hasSecret(authorization, body, 'not-known-yet') ? 401 : 200,
      body: {},
    }));
    expect((await disconnect('rotating')).json.revoked).toBe(true);
    expect(revokedOf(refresh_token)).toHaveLength(2);
    const again = await createGranted(broker, 'rotating-2', {}, {}, here());
    await put('rotating-2', { client_secret: 'not-known-yet' });
    expect((await broker.call('DELETE', '/api/oauth/connections/rotating-2')).json.revoked).toBe(true);
    expect(revokedOf(again.refresh_token)).toHaveLength(2);
    expect(await pending()).toEqual([]);
  });

  it('is tried again, with the secret that was put right meanwhile', async () => {
    const { refresh_token } = await createGranted(broker, 'put-right', {}, {}, here());
    rejecting();
    expect((await disconnect('put-right')).json.revoked).toBe(false);
    await postponed();
    provider.answer('/revoke', ({ authorization, body }) => ({
      status: hasSecret(authorization, body, 'put-right') ? 200 : 401,
      body: {},
    }));
    await put('put-right', { client_secret: 'put-right' });
    const before = revokedOf(refresh_token).length;
    await sweepLater();
    await expect.poll(pending).toEqual([]);
    expect(revokedOf(refresh_token)).toHaveLength(before + 1);
  });
});

describe('deleting a connection with users at a provider that does not answer', () => {
  it('asks it once, with the secrets gone from the vault, and keeps all tokens to be revoked later', async () => {
    const { refresh_token } = await createGranted(broker, 'crowded', {}, {}, here());
    const users = ['ann', 'ben', 'cleo'];
    for (const user_id of users) {
      const body = { access_token: `at-crowd-${user_id}`, refresh_token: `rt-crowd-${user_id}`, user_id };
      expect((await post('connections/crowded/tokens', body)).status).toBe(200);
    }
    const reference = (await rowOf(broker, 'crowded'))?.client_secret_ref;
    const held = provider.hold('/revoke');
    const before = provider.requests.length;
    const deletion = broker.call('DELETE', '/api/oauth/connections/crowded');
    await expect.poll(() => provider.requests.length).toBe(before + 1);
    expect(await secretInVault(broker, reference)).toBe(404);
    unwell();
    held.release();
    expect((await deletion).json).toMatchObject({ revoked: false });
    expect(await rowsOf(broker, 'OAuthUserGrants')).toEqual([]);
    expect(broker.lines.filter((line) => line.includes('revocation_failed') && line.includes('crowded'))).toHaveLength(
      1,
    );
    await expect.poll(async () => (await pending()).map(({ attempts }) => attempts)).toEqual(['1', '1', '1', '1']);
    provider.answer('/revoke', { status: 200, body: {} });
    await sweepLater();
    await expect.poll(pending).toEqual([]);
    for (const token of [refresh_token, ...users.map((user) => `rt-crowd-${user}`)]) {
      expect(revokedOf(token).length).toBeGreaterThan(1);
    }
  });
});
