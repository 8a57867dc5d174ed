import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted, createMinting, createRefreshing, failNext } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const seconds = (count: number) => broker.clock.advance(count * 1000);

describe('the life that is left in a token (S-12)', () => {
  it('is at least CREDENTIAL_MIN_TTL_SECONDS: refreshed below that, not above', async () => {
    const first = await createGranted(broker, 'default', { expires_in: 3600 });
    seconds(3530);
    expect((await credentialsOf(broker, 'default')).json.access_token).toBe(first.access_token);
    seconds(15);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'default')).json).toMatchObject({
      access_token: next.access_token,
      method: 'refreshed',
    });
  });

  it('is at least min_ttl_seconds where that is given', async () => {
    const first = await createGranted(broker, 'wanted', { expires_in: 3600 });
    seconds(1000);
    expect((await credentialsOf(broker, 'wanted', '?min_ttl_seconds=2500')).json.access_token).toBe(first.access_token);
    const next = answerNext(broker);
    const read = await credentialsOf(broker, 'wanted', '?min_ttl_seconds=2700');
    expect(read.json.access_token).toBe(next.access_token);
    expect(Date.parse(read.json.expires_at) - broker.clock.now()).toBeGreaterThan(2_700_000);
  });

  it('may be shorter than the default where min_ttl_seconds says so', async () => {
    const first = await createGranted(broker, 'patient', { expires_in: 3600 });
    seconds(3590);
    const read = await credentialsOf(broker, 'patient', '?min_ttl_seconds=5');
    expect(read.json.access_token).toBe(first.access_token);
  });

  it.each([40, 60])('is half the life for a token that lives %i s, not longer than the default', async (life) => {
    const name = `short-${life}`;
    const first = await createGranted(broker, name, { expires_in: life });
    seconds(life / 2 - 3);
    expect((await credentialsOf(broker, name)).json.access_token).toBe(first.access_token);
    seconds(4);
    const next = answerNext(broker, { expires_in: life });
    expect((await credentialsOf(broker, name)).json.access_token).toBe(next.access_token);
  });

  it('503 provider_answer_invalid for a token that comes lapsed: it is not served, and not asked for again at once', async () => {
    await createRefreshing(broker, 'stillborn');
    const calls = broker.server.tokens.count();
    answerNext(broker, { expires_in: 0 });
    for (let time = 0; time < 3; time += 1) {
      const answer = await credentialsOf(broker, 'stillborn');
      expect(answer).toMatchObject({ status: 503, json: { error: 'provider_answer_invalid' } });
      expect(answer.json.message).toContain('lapsed');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(broker.server.tokens.count()).toBe(calls + 1);
    seconds(10);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'stillborn')).json.access_token).toBe(next.access_token);
  });

  it('503 token_life_too_short for just the whole life, which no token ever has left', async () => {
    await createGranted(broker, 'whole', { expires_in: 600 });
    const calls = broker.server.tokens.count();
    const answer = await credentialsOf(broker, 'whole', '?min_ttl_seconds=600');
    expect(answer).toMatchObject({ status: 503, json: { error: 'token_life_too_short' } });
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it('503 token_life_too_short beyond the provider’s last life, without another refresh', async () => {
    await createGranted(broker, 'beyond', { expires_in: 600 });
    const calls = broker.server.tokens.count();
    for (let time = 0; time < 2; time += 1) {
      const answer = await credentialsOf(broker, 'beyond', '?min_ttl_seconds=601');
      expect(answer).toMatchObject({ status: 503, json: { error: 'token_life_too_short' } });
      expect(answer.json.message).toContain('600 s');
    }
    expect(broker.server.tokens.count()).toBe(calls);
    expect((await credentialsOf(broker, 'beyond')).status).toBe(200);
  });

  it('503 token_life_too_short when only the refresh shows how short it is, and then no second one', async () => {
    await createRefreshing(broker, 'shown');
    answerNext(broker, { expires_in: 600 });
    const calls = broker.server.tokens.count();
    for (let time = 0; time < 2; time += 1) {
      const answer = await credentialsOf(broker, 'shown', '?min_ttl_seconds=900');
      expect(answer).toMatchObject({ status: 503, json: { error: 'token_life_too_short' } });
    }
    expect(broker.server.tokens.count()).toBe(calls + 1);
    expect((await credentialsOf(broker, 'shown')).json.method).toBe('saved_token');
  });

  it('is asked for once by fifty readers at a time (I1, S-33)', async () => {
    await createRefreshing(broker, 'crowd');
    const next = answerNext(broker);
    const calls = broker.server.tokens.count();
    const reads = await Promise.all(Array.from({ length: 50 }, () => credentialsOf(broker, 'crowd')));
    expect(new Set(reads.map(({ json }) => json.access_token))).toEqual(new Set([next.access_token]));
    expect(broker.server.tokens.count()).toBe(calls + 1);
  });

  it('never submits a refresh token twice: each refresh uses the one that came last', async () => {
    await createGranted(broker, 'rotated', { expires_in: 300 });
    for (let round = 0; round < 3; round += 1) {
      seconds(290);
      answerNext(broker, { expires_in: 300 });
      expect((await credentialsOf(broker, 'rotated')).json.method).toBe('refreshed');
    }
    expect(Math.max(...broker.server.tokens.refreshSubmissions().values())).toBe(1);
  });

  it('keeps the old refresh token when the answer carries none (S-35)', async () => {
    await createGranted(broker, 'unrotated', { expires_in: 300, refresh_token: undefined });
    seconds(290);
    const next = answerNext(broker, { expires_in: 300, refresh_token: undefined });
    expect((await credentialsOf(broker, 'unrotated')).json.access_token).toBe(next.access_token);
    const hashes = broker.server.tokens.requests.slice(-2).map(({ refreshTokenHash }) => refreshTokenHash);
    expect(hashes[0]).toBe(hashes[1]);
  });
});

describe('a token that was imported half-way through its life', () => {
  it('says nothing of how long the provider’s tokens live: a longer one is asked for', async () => {
    await createRefreshing(broker, 'half-way');
    const expires_at = new Date(broker.clock.now() + 100_000).toISOString();
    const tokens = { access_token: 'imported', refresh_token: 'imported-too', expires_at };
    const path = '/api/oauth/connections/half-way/tokens';
    expect((await broker.call('POST', path, { body: tokens })).status).toBe(200);
    const next = answerNext(broker, { expires_in: 3600 });
    const answer = await credentialsOf(broker, 'half-way', '?min_ttl_seconds=300');
    expect(answer.json).toMatchObject({ method: 'refreshed', access_token: next.access_token });
  });
});

describe('force_refresh', () => {
  it('keeps the promise of life where a refresh of the last 30 s has given a short one (I8)', async () => {
    await createGranted(broker, 'forced-short', { expires_in: 75 });
    seconds(20);
    const next = answerNext(broker, { expires_in: 75 });
    const forced = await credentialsOf(broker, 'forced-short', '?force_refresh=true');
    expect(forced.json).toMatchObject({ access_token: next.access_token, method: 'refreshed' });
    seconds(10);
    const soon = await credentialsOf(broker, 'forced-short', '?force_refresh=true');
    expect(soon.json).toMatchObject({ access_token: next.access_token, method: 'saved_token' });
  });

  it('refreshes a token that would live, and at most once in 30 s', async () => {
    await createGranted(broker, 'forced');
    seconds(31);
    const second = answerNext(broker);
    const read = await credentialsOf(broker, 'forced', '?force_refresh=true');
    expect(read.json).toMatchObject({ access_token: second.access_token, method: 'refreshed' });
    seconds(28);
    const calls = broker.server.tokens.count();
    const soon = await credentialsOf(broker, 'forced', '?force_refresh=true');
    expect(soon).toMatchObject({ status: 200, json: { access_token: second.access_token, method: 'saved_token' } });
    expect(broker.server.tokens.count()).toBe(calls);
    seconds(3);
    const third = answerNext(broker);
    expect((await credentialsOf(broker, 'forced', '?force_refresh=true')).json.access_token).toBe(third.access_token);
  });

  it('is satisfied by a commit after the request arrived', async () => {
    await createGranted(broker, 'joined');
    seconds(31);
    const next = answerNext(broker);
    broker.server.tokens.latencyMs = 100;
    const calls = broker.server.tokens.count();
    const reads = await Promise.all(
      Array.from({ length: 8 }, () => credentialsOf(broker, 'joined', '?force_refresh=true')),
    );
    broker.server.tokens.latencyMs = 0;
    expect(reads.map(({ json }) => json.access_token)).toEqual(Array(8).fill(next.access_token));
    expect(broker.server.tokens.count()).toBe(calls + 1);
  });

  it('mints anew where a person is not needed', async () => {
    await createMinting(broker, 'forced-mint');
    const first = (await credentialsOf(broker, 'forced-mint')).json.access_token;
    seconds(31);
    const read = await credentialsOf(broker, 'forced-mint', '?force_refresh=true');
    expect(read.json.method).toBe('client_credentials');
    expect(read.json.access_token).not.toBe(first);
  });

  it('serves the token that lives when the provider does not answer, and says that it is the saved one', async () => {
    const first = await createGranted(broker, 'unforced');
    seconds(31);
    failNext(broker, 503, 'temporarily_unavailable');
    const forced = await credentialsOf(broker, 'unforced', '?force_refresh=true');
    expect(forced).toMatchObject({ status: 200, json: { method: 'saved_token', access_token: first.access_token } });
    expect((await detailOf(broker, 'unforced')).json.failure).toMatchObject({ code: 'provider_unavailable' });
  });
});
