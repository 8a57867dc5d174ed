import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { accessToken, connect, detail, issuedTokens, rowOf, serviceBody } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';

let broker: TestBroker;
let issued: ReturnType<typeof issuedTokens>;
beforeAll(async () => {
  broker = await startTestBroker();
  issued = issuedTokens(broker);
});
afterEach(() => {
  broker.vault.faults.clear();
  broker.server.tokens.reset();
});
afterAll(() => broker.stop());

const post = (body: unknown, query = '') => broker.call('POST', `/api/oauth/connections${query}`, { body });

describe('POST /oauth/connections for client credentials', () => {
  it('calls nobody without connect=true: the first credentials call does', async () => {
    expect(await post(serviceBody(broker, 'later'))).toMatchObject({ status: 201, json: { status: 'not_connected' } });
    expect(await post(serviceBody(broker, 'later-too'), '?connect=false')).toMatchObject({ status: 201 });
    expect(broker.server.tokens.count()).toBe(0);
    await accessToken(broker, 'later');
    expect(broker.server.tokens.count('client_credentials')).toBe(1);
    expect((await detail(broker, 'later')).status).toBe('completed');
  });

  it('gets the first token at once with connect=true, and serves that one', async () => {
    const created = await post(serviceBody(broker, 'at-once'), '?connect=true');
    expect(created).toMatchObject({ status: 201, json: { status: 'completed', status_reason: null, failure: null } });
    expect(Date.parse(created.json.expires_at)).toBeGreaterThan(broker.clock.now());
    expect(created.text).not.toContain(issued.at(-1)?.access_token);
    expect(await accessToken(broker, 'at-once')).toBe(issued.at(-1)?.access_token);
    expect(broker.server.tokens.count()).toBe(1);
  });

  it.each<[string, string, () => void]>([
    ['is down', 'provider_unavailable', () => broker.server.tokens.respondNext({ status: 503, body: 'down' })],
    ['hangs up', 'provider_unavailable', () => broker.server.tokens.dropNext()],
    [
      'answers nonsense',
      'provider_answer_invalid',
      () => broker.server.tokens.respondNext({ status: 200, body: '<p>' }),
    ],
  ])('succeeds though the provider %s, and shows it', async (what, code, misbehave) => {
    misbehave();
    const name = `when-it-${what.replaceAll(' ', '-')}`;
    const created = await post(serviceBody(broker, name), '?connect=true');
    expect(created).toMatchObject({ status: 201, json: { status: 'not_connected', failure: { code, attempts: 1 } } });
    broker.clock.advance(60_000);
    await accessToken(broker, name);
    expect(await detail(broker, name)).toMatchObject({ status: 'completed', failure: null });
  });

  it('succeeds though the provider rejects the client, and says what to mend', async () => {
    const created = await post(serviceBody(broker, 'wrong', { client_secret: 'not-the-secret' }), '?connect=true');
    expect(created).toMatchObject({
      status: 201,
      json: {
        status: 'failed',
        status_reason: 'provider_rejected_client',
        failure: { code: 'provider_rejected_client' },
      },
    });
    expect(created.json.status_message).toContain('client_secret');
    expect(created.text).not.toContain('not-the-secret');
  });

  it('still needs the vault', async () => {
    broker.vault.faults.outage();
    const refused = await post(serviceBody(broker, 'no-vault'), '?connect=true');
    expect(refused).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
    expect(await rowOf(broker, 'no-vault')).toBeUndefined();
    expect(broker.server.tokens.count()).toBe(0);
  });
});

describe('POST /oauth/connections for a refresh token', () => {
  const body = (name: string, refreshToken: string | undefined) =>
    broker.connectionBody(name, {
      oauth_flow_type: 'refresh_token',
      authorization_url: null,
      refresh_token: refreshToken,
    });
  let count = 0;
  const refreshTokenFromElsewhere = async () => {
    count += 1;
    await connect(broker, `elsewhere-${count}`);
    broker.server.tokens.reset();
    return issued.at(-1)?.refresh_token;
  };

  it('keeps it sealed, shows only that it is there, and uses it at the first call', async () => {
    const refreshToken = await refreshTokenFromElsewhere();
    const created = await post(body('given', refreshToken));
    expect(created).toMatchObject({
      status: 201,
      json: { status: 'not_connected', has_refresh_token: true, redirect_uri: null },
    });
    expect(created.text).not.toContain(refreshToken);
    expect(JSON.stringify(await rowOf(broker, 'given'))).not.toContain(refreshToken);
    expect(broker.server.tokens.count()).toBe(0);
    expect(await broker.server.isActive(await accessToken(broker, 'given'))).toBe(true);
    expect(broker.server.tokens.count('refresh_token')).toBe(1);
  });

  it('uses it at once with connect=true, and keeps the one that replaces it', async () => {
    const created = await post(body('used', await refreshTokenFromElsewhere()), '?connect=true');
    expect(created.json).toMatchObject({ status: 'completed', has_refresh_token: true });
    broker.clock.advance(3600_000);
    expect(await broker.server.isActive(await accessToken(broker, 'used'))).toBe(true);
  });

  it('says with connect=true that the provider does not know it', async () => {
    const created = await post(body('unknown', 'no-such-refresh-token'), '?connect=true');
    expect(created).toMatchObject({
      status: 201,
      json: { status: 'failed', status_reason: 'needs_reauthorization', has_refresh_token: false },
    });
  });

  it('may come without one, which is imported later', async () => {
    expect(await post(body('without', undefined), '?connect=true')).toMatchObject({
      status: 201,
      json: { status: 'not_connected', has_refresh_token: false },
    });
    expect(broker.server.tokens.count()).toBe(0);
  });
});
