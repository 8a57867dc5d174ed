import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { rowOf } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted, createRefreshing, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterEach(() => broker.vault.faults.clear());
afterAll(() => broker.stop());

const seconds = (count: number) => broker.clock.advance(count * 1000);
const refresh = (name: string) => broker.call('POST', `/api/oauth/connections/${name}/refresh`, { body: {} });
const isLeased = async (name: string) => Boolean((await rowOf(broker, name))?.lease_owner);

/** Does something that refreshes. Seconds pass while it has its lease and waits for the vault. */
async function slowly<Answer>(later: number, work: () => Promise<Answer>): Promise<Answer> {
  // What the process remembers of the vault is too old after ten minutes.
  seconds(11 * 60);
  let isAsked = false;
  broker.vault.faults.respond({
    status: 503,
    matches: () => {
      if (!isAsked) seconds(later);
      isAsked = true;
      return false;
    },
  });
  const answer = await work();
  broker.vault.faults.clear();
  expect(isAsked).toBe(true);
  return answer;
}

/** A lease lives for 30 s. */
describe('a refresh that comes to the token request late in its lease', () => {
  it.each([
    ['11 s are left of the lease', 19],
    ['the lease has ended', 31],
  ])('sends nothing and says refresh_in_progress when %s', async (what, later) => {
    const name = `late-${what.replaceAll(' ', '-')}`;
    await createRefreshing(broker, name);
    const calls = broker.server.tokens.count();
    const refused = await slowly(later, () => credentialsOf(broker, name));
    expect(refused, refused.text).toMatchObject({ status: 503, json: { error: 'refresh_in_progress' } });
    expect(refused.headers.get('retry-after')).toBe('2');
    expect(broker.server.tokens.count()).toBe(calls);
    expect(await isLeased(name)).toBe(false);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, name)).json.access_token).toBe(next.access_token);
  });

  it('sends nothing for an operator either', async () => {
    await createRefreshing(broker, 'late-operator');
    const calls = broker.server.tokens.count();
    const answer = await slowly(19, () => refresh('late-operator'));
    expect(answer).toMatchObject({ status: 503, json: { error: 'refresh_in_progress' } });
    expect(broker.server.tokens.count()).toBe(calls);
    expect((await detailOf(broker, 'late-operator')).json).toMatchObject({ failure: null, has_refresh_token: true });
  });

  it('serves the token that still lives', async () => {
    const { access_token } = await createGranted(broker, 'late-alive', { expires_in: 11 * 60 + 60 });
    const calls = broker.server.tokens.count();
    const answer = await slowly(19, () => credentialsOf(broker, 'late-alive', '?force_refresh=true'));
    expect(answer.json).toMatchObject({ access_token, method: 'saved_token' });
    expect(broker.server.tokens.count()).toBe(calls);
  });

  it('sends while there is time enough', async () => {
    await createRefreshing(broker, 'in-time');
    const next = answerNext(broker);
    const answer = await slowly(12, () => credentialsOf(broker, 'in-time'));
    expect(answer.json.access_token).toBe(next.access_token);
  });
});

describe('a refresh whose tokens are too many bytes to be stored', () => {
  interface Line {
    readonly level: string;
    readonly event: string;
  }
  const since = (count: number): Line[] => broker.lines.slice(count).map((line) => JSON.parse(line));

  /** Refreshes with an answer of 250 KB. */
  async function overflow(name: string) {
    const tokens = tokenAnswer({ access_token: `at-of-${name}-${'a'.repeat(250 * 1024)}` });
    broker.server.tokens.respondNext({ status: 200, body: tokens });
    const [lines, calls] = [broker.lines.length, broker.server.tokens.count()];
    const answer = await credentialsOf(broker, name);
    expect(broker.server.tokens.count()).toBe(calls + 1);
    return { answer, tokens, lines };
  }

  async function createLapsed(name: string, passed = 400) {
    const tokens = await createGranted(broker, name, { expires_in: 300 });
    seconds(passed);
    return tokens;
  }

  it('logs refresh_outcome_lost as an error, and no token', async () => {
    const before = await createLapsed('logged');
    const { answer, tokens, lines } = await overflow('logged');
    expect(since(lines)).toContainEqual(
      expect.objectContaining({
        level: 'error',
        event: 'refresh_outcome_lost',
        org: 'ORG1',
        connection: 'logged',
        connection_org: 'ORG1',
      }),
    );
    for (const text of [broker.lines.slice(lines).join('\n'), answer.text, JSON.stringify(broker.host.lines)]) {
      for (const secret of [tokens.refresh_token, 'at-of-logged', before.refresh_token, before.access_token]) {
        expect(text).not.toContain(secret);
      }
    }
  });

  it('shows why, gives the lease back, and keeps the refresh token to itself until the backoff is over', async () => {
    await createLapsed('backing-off');
    const { answer } = await overflow('backing-off');
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(500);
    const failure = { code: 'provider_answer_invalid', attempts: 1 };
    expect((await detailOf(broker, 'backing-off')).json).toMatchObject({ has_refresh_token: true, failure });
    expect(await isLeased('backing-off')).toBe(false);
    const calls = broker.server.tokens.count();
    expect((await credentialsOf(broker, 'backing-off')).json.error).toBe('provider_answer_invalid');
    expect(broker.server.tokens.count()).toBe(calls);
    seconds(31);
    const next = answerNext(broker);
    expect((await credentialsOf(broker, 'backing-off')).json.access_token).toBe(next.access_token);
    expect((await detailOf(broker, 'backing-off')).json).toMatchObject({ status: 'completed', failure: null });
  });

  it('serves the token that there was while it lives', async () => {
    const { access_token } = await createLapsed('too-large-alive', 280);
    const { answer } = await overflow('too-large-alive');
    expect(answer.json).toMatchObject({ access_token, method: 'saved_token' });
    expect((await detailOf(broker, 'too-large-alive')).json.failure.code).toBe('provider_answer_invalid');
  });

  it('waits longer each time it happens', async () => {
    await createLapsed('again-and-again');
    const retryAts: number[] = [];
    for (let time = 0; time < 2; time += 1) {
      await overflow('again-and-again');
      const failure = JSON.parse(String((await rowOf(broker, 'again-and-again'))?.failure));
      retryAts.push(failure.readRetryAt - broker.clock.now());
      expect(failure.attempts).toBe(time + 1);
      seconds(31);
    }
    expect(retryAts[1]).toBeGreaterThan(retryAts[0] ?? Number.POSITIVE_INFINITY);
  });
});
