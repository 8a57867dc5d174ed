import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Composition, compose } from '../../src/composition.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf } from './support/authorizing.ts';
import { type Endpoint, type EndpointAnswer, startEndpoint } from './support/endpoint.ts';
import { createRefreshing, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
let endpoint: Endpoint;
let other: Composition;
let letGo: () => void = () => {};
beforeAll(async () => {
  [broker, endpoint] = await Promise.all([
    startTestBroker({ settings: { CREDENTIAL_CACHE_SECONDS: '5' } }),
    startEndpoint(),
  ]);
  other = compose(broker.settings, () => {}, { clock: broker.clock });
});
afterEach(() => letGo());
afterAll(async () => {
  await Promise.all([broker.stop(), other.close()]);
  await endpoint.stop();
});

/** A connection with a token that lives for an hour, read, and old enough that a refresh can be forced. */
async function createLiving(name: string): Promise<string> {
  const tokens = tokenAnswer();
  endpoint.answer(`/${name}`, { status: 200, body: tokens });
  const [token_url, revocation_url] = [`${endpoint.url}/${name}`, `${endpoint.url}/${name}-revoke`];
  await createRefreshing(broker, name, { token_url, revocation_url });
  expect((await credentialsOf(broker, name)).json.access_token).toBe(tokens.access_token);
  broker.clock.advance(60_000);
  return tokens.access_token;
}

/** Begins a forced refresh, which waits at the provider. */
async function forceAndHold(name: string) {
  const hold = endpoint.hold(`/${name}`);
  letGo = hold.release;
  const before = endpoint.requests.length;
  const pending = credentialsOf(broker, name, '?force_refresh=true');
  await vi.waitFor(() => expect(endpoint.requests.length).toBe(before + 1));
  return async (answer: EndpointAnswer) => {
    endpoint.answer(`/${name}`, answer);
    hold.release();
    return pending;
  };
}

const withdraw = {
  disconnect: (name: string) => broker.call('POST', `/api/oauth/connections/${name}/disconnect`, { body: {} }),
  delete: (name: string) => broker.call('DELETE', `/api/oauth/connections/${name}`),
};
/** What a reader gets afterwards. */
const afterwards = {
  disconnect: { status: 503, json: { error: 'connection_not_ready' } },
  delete: { status: 404, json: { error: 'connection_not_found' } },
};

const outcomes: readonly (readonly [string, () => EndpointAnswer])[] = [
  ['gives new tokens', () => ({ status: 200, body: tokenAnswer() })],
  ['says invalid_grant', () => ({ status: 400, body: { error: 'invalid_grant' } })],
  ['says invalid_client', () => ({ status: 401, body: { error: 'invalid_client' } })],
  ['is down', () => ({ status: 503, body: { error: 'temporarily_unavailable' } })],
  ['makes no sense', () => ({ status: 200, body: { hello: 'world' } })],
];
const cases = (['disconnect', 'delete'] as const).flatMap((how) =>
  outcomes.map(([outcome, answer]) => ({ how, outcome, answer })),
);

describe('a forced refresh that is under way', () => {
  it.each(cases)(
    'gives no token after $how, when the provider then $outcome (S-11)',
    async ({ how, outcome, answer }) => {
      const name = `${how}-${outcome.replaceAll(' ', '-')}`;
      const old = await createLiving(name);
      const end = await forceAndHold(name);
      const done = await withdraw[how](name);
      expect(done.status, done.text).toBe(200);
      const forced = await end(answer());
      expect(forced.status, forced.text).toBeGreaterThanOrEqual(400);
      expect(forced.text).not.toContain(old);
      for (let time = 0; time < 2; time += 1) expect(await credentialsOf(broker, name)).toMatchObject(afterwards[how]);
    },
  );

  it.each(['disconnect', 'delete'] as const)('gives no token after another process’s %s', async (how) => {
    const name = `elsewhere-${how}`;
    const old = await createLiving(name);
    const end = await forceAndHold(name);
    const caller = { kind: 'api_key', id: 'a', name: 'a', orgIds: ['*'], roles: ['admin'], expiresAt: null } as const;
    const query = { caller, org: 'ORG1' as never, name: name as never, userId: null, revoke: undefined };
    if (how === 'disconnect') await other.broker.disconnect(query);
    else await other.broker.deleteConnection({ ...query, disableWorkflows: false, revoke: true });
    const forced = await end({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(forced.status, forced.text).toBeGreaterThanOrEqual(400);
    expect(forced.text).not.toContain(old);
    expect(await credentialsOf(broker, name)).toMatchObject(afterwards[how]);
  });

  it('still serves the token that lives when nobody withdrew it', async () => {
    const old = await createLiving('untouched');
    const end = await forceAndHold('untouched');
    const forced = await end({ status: 503, body: { error: 'temporarily_unavailable' } });
    expect(forced).toMatchObject({ status: 200, json: { access_token: old, method: 'saved_token' } });
  });

  it('revokes the new tokens that nobody will get', async () => {
    await createLiving('revoked');
    const end = await forceAndHold('revoked');
    await withdraw.disconnect('revoked').then(({ status }) => expect(status).toBe(200));
    const tokens = tokenAnswer();
    await end({ status: 200, body: tokens });
    const revocations = endpoint.requests.filter((request) => request.startsWith('/revoked-revoke '));
    expect(revocations.some((request) => request.includes(tokens.refresh_token))).toBe(true);
  });
});
