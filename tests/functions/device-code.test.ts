import type { ClientMetadata } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { detail, rowsOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const device: ClientMetadata = {
  client_id: 'tv',
  client_secret: 'tv-secret',
  redirect_uris: [],
  response_types: [],
  grant_types: [deviceGrant, 'refresh_token'],
};

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({ server: { clients: [device] } });
});
afterAll(() => broker.stop());

interface Begun {
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_at: string;
  readonly interval: number;
}

async function create(name: string, changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const body = broker.connectionBody(name, {
    oauth_flow_type: 'device_code',
    client_id: 'tv',
    client_secret: 'tv-secret',
    authorization_url: null,
    device_authorization_url: broker.server.endpoints.deviceAuthorization,
    ...changes,
  });
  const created = await broker.call('POST', '/api/oauth/connections', { body });
  expect(created.status, created.text).toBe(201);
}

async function begin(name: string, body: unknown = {}): Promise<Begun> {
  const begun = await broker.call('POST', `/api/oauth/connections/${name}/authorize`, { body });
  expect(begun.status, begun.text).toBe(200);
  return begun.json;
}

/** What the provider does once a person has entered the code, signed in and decided. */
async function decide(userCode: string, accountId = 'alice'): Promise<void> {
  const { DeviceCode, Grant } = broker.server.provider;
  const code = await DeviceCode.findByUserCode(userCode.replaceAll(/[^A-Za-z0-9]/g, ''), { ignoreExpiration: true });
  if (code === undefined) throw new Error('the provider does not know the code');
  const grant = new Grant({ accountId, clientId: 'tv' });
  grant.addOIDCScope('openid read');
  const now = Math.floor(Date.now() / 1000);
  Object.assign(code, { accountId, grantId: await grant.save(), scope: 'openid read', authTime: now, claims: {} });
  await code.save();
}

const status = async (name: string) => (await detail(broker, name)).status;
const transactions = () => rowsOf(broker, 'OAuthTransactions');
const polls = () => broker.server.tokens.count(deviceGrant);
/** The step that a pending device authorization waits for, due now. */
async function step(name: string) {
  const row = (await transactions()).find(({ connection }) => connection === name);
  if (row === undefined) throw new Error('nothing is pending');
  return {
    stateHash: row.rowKey,
    step: Number(row.device_step),
    notBefore: 0,
    intervalSeconds: 5,
    isRedelivered: false,
  };
}

/** The next question is due. */
const interval = () => broker.clock.advance(6000);

describe('a device authorization', () => {
  it('gives the code and the page, waits for the person, and completes through the queue', async () => {
    await create('tv');
    const begun = await begin('tv');
    expect(Object.keys(begun).sort()).toEqual(
      ['user_code', 'verification_uri', 'verification_uri_complete', 'expires_at', 'interval'].sort(),
    );
    expect(begun.verification_uri).toBe(`${broker.server.issuer}/device`);
    expect(begun.verification_uri_complete).toContain(begun.user_code);
    expect(begun.interval).toBe(5);
    expect(await status('tv')).toBe('waiting_callback');
    const asked = polls();
    interval();
    await vi.waitFor(() => expect(polls()).toBe(asked + 1), 5000);
    expect(await status('tv')).toBe('waiting_callback');
    await decide(begun.user_code);
    interval();
    await vi.waitFor(async () => expect(await status('tv')).toBe('completed'), 5000);
    const served = await credentialsOf(broker, 'tv');
    expect(served.json).toMatchObject({ method: 'saved_token', scopes: 'openid read' });
    expect(await broker.server.isActive(served.json.access_token)).toBe(true);
    expect(await transactions()).toEqual([]);
    expect((await credentialsOf(broker, 'tv', '?force_refresh=true')).json.method).toBe('refreshed');
  });

  it('that the person refuses fails, and says so', async () => {
    await create('refused');
    broker.server.tokens.respondNext({ status: 400, body: { error: 'access_denied' } });
    await begin('refused');
    interval();
    await vi.waitFor(async () => expect(await status('refused')).toBe('failed'), 5000);
    expect(await detail(broker, 'refused')).toMatchObject({
      status_reason: 'access_denied',
      status_message: 'Access was denied at the provider. Authorize again, and allow the access that is asked for.',
    });
    const read = await credentialsOf(broker, 'refused');
    expect(read.json.authorize).toEqual({ method: 'POST', href: '/api/oauth/connections/refused/authorize' });
  });

  it('that nobody answers lapses', async () => {
    await create('lapsed');
    await begin('lapsed');
    broker.clock.advance(31 * 60 * 1000);
    await vi.waitFor(async () => expect(await status('lapsed')).toBe('failed'), 5000);
    expect((await detail(broker, 'lapsed')).status_message).toBe('The code was not entered in time. Authorize again.');
    expect(await transactions()).toEqual([]);
  });

  it('that is cancelled, or replaced by another, is not asked about again', async () => {
    await create('cancelled');
    await begin('cancelled');
    const first = await step('cancelled');
    await begin('cancelled');
    expect(await transactions()).toHaveLength(1);
    const second = await step('cancelled');
    await broker.call('POST', '/api/oauth/connections/cancelled/cancel', { body: {} });
    expect(await transactions()).toEqual([]);
    expect(await status('cancelled')).toBe('not_connected');
    const asked = polls();
    for (const one of [first, second]) expect(await broker.composition.broker.pollDevice(one)).toBeNull();
    expect(polls()).toBe(asked);
  });

  it('is for one user where it says so, and another account than before is refused', async () => {
    await create('users');
    const first = await begin('users', { user_id: 'ann' });
    await decide(first.user_code, 'alice');
    interval();
    const read = () => credentialsOf(broker, 'users', '?user_id=ann');
    await vi.waitFor(async () => expect((await read()).status).toBe(200), 5000);
    const { access_token } = (await read()).json;
    const second = await begin('users', { user_id: 'ann' });
    await decide(second.user_code, 'bob');
    interval();
    await vi.waitFor(async () => expect(await transactions()).toEqual([]), 5000);
    expect((await read()).json.access_token).toBe(access_token);
    expect(await status('users')).toBe('not_connected');
  });

  it('keeps the device code sealed, and no message holds it', async () => {
    await create('sealed');
    await begin('sealed');
    const [row] = await transactions();
    expect(JSON.stringify({ ...row, sealed_0: '' })).not.toMatch(/device_code|authorizationUrl/);
    expect(row?.device_step).toBe('0');
    await broker.call('POST', '/api/oauth/connections/sealed/cancel', { body: {} });
  });
});

describe('one step of a device authorization', () => {
  it('is taken once, however often its message is delivered', async () => {
    await create('once');
    await begin('once');
    const first = await step('once');
    const asked = polls();
    const { broker: app } = broker.composition;
    const outcomes = await Promise.all([app.pollDevice(first), app.pollDevice(first), app.pollDevice(first)]);
    expect(outcomes.filter((outcome) => outcome !== null)).toHaveLength(1);
    expect(polls()).toBe(asked + 1);
    // The process that took it may have vanished before it could say so.
    expect(await app.pollDevice({ ...first, isRedelivered: true })).toMatchObject({ step: 2 });
    expect(await app.pollDevice({ ...first, step: 1 })).toBeNull();
    await broker.call('POST', '/api/oauth/connections/once/cancel', { body: {} });
    expect(await app.pollDevice({ ...first, step: 2 })).toBeNull();
  });
});

describe('a provider that wants to be asked less often', () => {
  it.each([
    ['says slow_down', 400, 'slow_down', 10],
    ['does not answer', 503, 'server_error', 10],
    ['only waits', 400, 'authorization_pending', 5],
  ])('%s: the next question comes later', async (_title, answerStatus, error, seconds) => {
    const name = `asked-${error}`;
    await create(name);
    await begin(name);
    broker.server.tokens.respondNext({ status: answerStatus, body: { error } });
    const before = broker.clock.now();
    const next = await broker.composition.broker.pollDevice(await step(name));
    expect(next).toMatchObject({ step: 1, intervalSeconds: seconds });
    expect(next?.notBefore).toBeGreaterThanOrEqual(before + seconds * 1000);
    await broker.call('POST', `/api/oauth/connections/${name}/cancel`, { body: {} });
  });
});

describe('cannot begin', () => {
  it('without the address of the device endpoint', async () => {
    const body = broker.connectionBody('bad', { oauth_flow_type: 'device_code', authorization_url: null });
    const refused = await broker.call('POST', '/api/oauth/connections', { body });
    expect(refused.status).toBe(400);
    expect(refused.json.details).toEqual([{ path: 'device_authorization_url', message: 'is needed for device_code' }]);
  });

  it('where the provider refuses the client: 503, and nothing is pending', async () => {
    await create('wrong', { client_secret: 'wrong' });
    const answer = await broker.call('POST', '/api/oauth/connections/wrong/authorize', { body: {} });
    expect([answer.status, answer.json.error]).toEqual([503, 'provider_rejected_client']);
    expect(await status('wrong')).toBe('not_connected');
  });
});
