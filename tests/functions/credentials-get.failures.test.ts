import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compose } from '../../src/composition.ts';
import type { ConnectionName, OrgId } from '../../src/domain/ids.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { connect, createConnection, credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted, createMinting, createRefreshing, failNext } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const seconds = (count: number) => broker.clock.advance(count * 1000);

/** A connection whose token has 20 s left: every read tries to refresh it. */
async function createWaning(name: string) {
  const tokens = await createGranted(broker, name, { expires_in: 300 });
  seconds(280);
  return tokens;
}

describe('the provider is down', () => {
  it.each([
    ['503', () => failNext(broker, 503, 'temporarily_unavailable')],
    ['429', () => failNext(broker, 429, 'slow_down')],
    ['a page in HTML', () => broker.server.tokens.respondNext({ status: 200, body: '<html>Sorry</html>' })],
    ['a hang-up', () => broker.server.tokens.dropNext()],
    ['a redirect', () => broker.server.tokens.respondNext({ status: 307, headers: { location: broker.url } })],
  ])('serves the token that lives, and shows the failure: %s (S-38)', async (what, fail) => {
    const name = `alive-${what.replace(/\W/g, '-')}`;
    const { access_token } = await createWaning(name);
    fail();
    expect((await credentialsOf(broker, name)).json).toMatchObject({ access_token, method: 'saved_token' });
    expect((await detailOf(broker, name)).json).toMatchObject({
      status: 'completed',
      failure: { code: expect.stringMatching(/^provider_/), attempts: 1 },
    });
  });

  it('503 provider_unavailable with Retry-After once the token has lapsed, and no call until then', async () => {
    await createWaning('lapsed');
    seconds(21);
    failNext(broker, 500, 'server_error');
    const first = await credentialsOf(broker, 'lapsed');
    expect(first).toMatchObject({ status: 503, json: { error: 'provider_unavailable' } });
    expect(Number(first.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    const calls = broker.server.tokens.count();
    const second = await credentialsOf(broker, 'lapsed');
    expect(second).toMatchObject({ status: 503, json: { error: 'provider_unavailable' } });
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it('passes the provider’s own Retry-After on and keeps to it', async () => {
    await createRefreshing(broker, 'told');
    failNext(broker, 429, 'slow_down', { headers: { 'retry-after': '120' } });
    const answer = await credentialsOf(broker, 'told');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('120');
    const calls = broker.server.tokens.count();
    seconds(100);
    expect((await credentialsOf(broker, 'told')).status).toBe(503);
    expect(broker.server.tokens.count()).toBe(calls);
    seconds(30);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'told')).json.access_token).toBe(next.access_token);
  });

  it('comes back by itself: the next success clears the failure', async () => {
    await createWaning('recovering');
    failNext(broker, 503, 'temporarily_unavailable');
    await credentialsOf(broker, 'recovering');
    seconds(10);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'recovering')).json.access_token).toBe(next.access_token);
    expect((await detailOf(broker, 'recovering')).json).toMatchObject({ status: 'completed', failure: null });
  });

  it('shows nothing of what the provider said (S-56)', async () => {
    await createWaning('chatty');
    seconds(21);
    const body = { error: 'server_error', error_description: 'SELECT * FROM tokens; <script>' };
    broker.server.tokens.respondNext({ status: 500, body });
    expect((await credentialsOf(broker, 'chatty')).text).not.toMatch(/SELECT|script/);
  });
});

describe('the grant is dead (invalid_grant)', () => {
  it('503 connection_not_ready with needs_reauthorization and where to mend it, and no further calls (S-36)', async () => {
    await createConnection(broker, 'dead');
    await connect(broker, 'dead');
    seconds(86_400);
    failNext(broker, 400, 'invalid_grant');
    const calls = broker.server.tokens.count();
    for (let time = 0; time < 3; time += 1) {
      expect(await credentialsOf(broker, 'dead', time === 2 ? '?force_refresh=true' : '')).toMatchObject({
        status: 503,
        json: {
          error: 'connection_not_ready',
          status: 'failed',
          status_reason: 'needs_reauthorization',
          status_message: expect.any(String),
          authorize: { method: 'POST', href: '/api/oauth/connections/dead/authorize' },
        },
      });
    }
    expect(broker.server.tokens.count()).toBe(calls + 1);
    expect((await detailOf(broker, 'dead')).json).toMatchObject({ status: 'failed', has_refresh_token: false });
    await connect(broker, 'dead');
    expect((await credentialsOf(broker, 'dead')).status).toBe(200);
  });

  it('is not served any more, though its access token lives', async () => {
    const { access_token } = await createWaning('dead-alive');
    failNext(broker, 403, 'invalid_grant');
    const answer = await credentialsOf(broker, 'dead-alive');
    expect(answer).toMatchObject({ status: 503, json: { error: 'connection_not_ready' } });
    expect(answer.text).not.toContain(access_token);
  });

  it('leaves another user’s grant alone', async () => {
    await createConnection(broker, 'one-dead');
    await connect(broker, 'one-dead', { body: { user_id: 'a' } });
    await connect(broker, 'one-dead', { body: { user_id: 'b' } });
    seconds(86_400);
    failNext(broker, 400, 'invalid_grant');
    expect((await credentialsOf(broker, 'one-dead', '?user_id=a')).status).toBe(503);
    expect((await credentialsOf(broker, 'one-dead', '?user_id=b')).json.method).toBe('refreshed');
  });
});

describe('the client is rejected (invalid_client)', () => {
  const readsOfSecrets = () => broker.vault.requests.filter((r) => r.method === 'GET' && r.status === 200).length;

  it('reads the secret once more, marks the connection, and keeps the grant', async () => {
    await createWaning('rejected');
    seconds(21);
    failNext(broker, 401, 'invalid_client');
    const [calls, reads] = [broker.server.tokens.count(), readsOfSecrets()];
    const answer = await credentialsOf(broker, 'rejected');
    expect(answer).toMatchObject({
      status: 503,
      json: {
        error: 'connection_not_ready',
        status: 'failed',
        status_reason: 'provider_rejected_client',
        // Authorizing again would not mend it.
        authorize: null,
      },
    });
    expect(broker.server.tokens.count()).toBe(calls + 1);
    expect(readsOfSecrets()).toBe(reads + 1);
    expect((await detailOf(broker, 'rejected')).json).toMatchObject({
      status: 'failed',
      status_reason: 'provider_rejected_client',
      has_refresh_token: true,
    });
    seconds(60);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'rejected')).json.access_token).toBe(next.access_token);
    expect((await detailOf(broker, 'rejected')).json).toMatchObject({ status: 'completed', status_reason: null });
  });

  it('serves the token that lives meanwhile', async () => {
    const { access_token } = await createWaning('rejected-alive');
    failNext(broker, 401, 'invalid_client');
    expect((await credentialsOf(broker, 'rejected-alive')).json.access_token).toBe(access_token);
    expect((await detailOf(broker, 'rejected-alive')).json).toMatchObject({
      status: 'completed',
      failure: { code: 'provider_rejected_client' },
    });
  });

  it('uses a secret that was renewed in the vault behind its back, in the same call (S-66)', async () => {
    await createMinting(broker, 'renewed', { client_secret: 'the-old-one' });
    const path = broker.vault.requests.findLast(({ method }) => method === 'PUT')?.path;
    const put = await fetch(`${broker.vault.url}${path}?api-version=7.5`, {
      method: 'PUT',
      headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
      body: JSON.stringify({ value: broker.server.clients.service.clientSecret }),
    });
    expect(put.status).toBe(200);
    const calls = broker.server.tokens.count();
    expect(await credentialsOf(broker, 'renewed')).toMatchObject({
      status: 200,
      json: { method: 'client_credentials' },
    });
    expect(broker.server.tokens.count()).toBe(calls + 2);
  });
});

describe('the vault is down', () => {
  it('serves what needs no secret, and refreshes with the one in memory', async () => {
    const { access_token } = await createGranted(broker, 'vaultless', { expires_in: 600 });
    broker.vault.faults.outage();
    try {
      expect((await credentialsOf(broker, 'vaultless')).json.access_token).toBe(access_token);
      seconds(590);
      const next = answerNext(broker);
      expect((await credentialsOf(broker, 'vaultless')).json.access_token).toBe(next.access_token);
    } finally {
      broker.vault.faults.clear();
    }
  });
});

describe('somebody else holds the lease', () => {
  /** Another process on the same storage begins a refresh that is held at the provider; then somebody reads. */
  async function readBehind(name: string) {
    const other = compose(broker.settings, () => {}, { clock: broker.clock });
    const held = broker.server.tokens.holdNext();
    const theirs = other.broker.getCredentials({
      org: 'ORG1' as OrgId,
      name: name as ConnectionName,
      userId: null,
      minTtlSeconds: null,
      forceRefresh: false,
      requiredScopes: null,
      workflowId: null,
    });
    await held.waiting();
    const calls = broker.server.tokens.count();
    const sleep = vi.spyOn(broker.clock, 'sleep');
    const answering = credentialsOf(broker, name);
    await vi.waitFor(() => expect(sleep).toHaveBeenCalled());
    sleep.mockRestore();
    const end = async () => {
      expect(broker.server.tokens.count()).toBe(calls);
      held.release();
      const credentials = await theirs;
      await other.close();
      return credentials;
    };
    return { answering, end };
  }

  it('503 refresh_in_progress with Retry-After 2 after ten seconds, and nothing is sent', async () => {
    await createMinting(broker, 'busy');
    const { answering, end } = await readBehind('busy');
    seconds(10);
    const answer = await answering;
    expect(answer).toMatchObject({ status: 503, json: { error: 'refresh_in_progress' } });
    expect(answer.headers.get('retry-after')).toBe('2');
    await end();
  });

  it('waits, and gives what the other one got', async () => {
    await createMinting(broker, 'awaited');
    const { answering, end } = await readBehind('awaited');
    const theirs = await end();
    const answer = await answering;
    expect(answer).toMatchObject({ status: 200, json: { method: 'saved_token' } });
    expect(answer.json.access_token).toBe(theirs.accessToken.reveal());
  });

  it('serves the token that lives instead of failing', async () => {
    await createMinting(broker, 'busy-alive');
    const { access_token } = (await credentialsOf(broker, 'busy-alive')).json;
    seconds(280);
    const { answering, end } = await readBehind('busy-alive');
    seconds(10);
    expect((await answering).json).toMatchObject({ access_token, method: 'saved_token' });
    await end();
  });
});
