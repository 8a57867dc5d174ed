import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rawTable } from '../support/connections.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { credentialsOf, detailOf } from './support/authorizing.ts';
import { answerNext, createGranted, createMinting, failNext } from './support/granted.ts';

let broker: TestBroker;
beforeEach(async () => {
  broker = await startTestBroker();
});
afterEach(() => broker.stop());

const hours = (count: number) => broker.clock.advance(count * 3_600_000);
const calls = () => broker.server.tokens.count();

/** What a process leaves behind that died between its claim and its commit, once its lease is over. */
async function crashDuringRefresh(name: string): Promise<void> {
  const row = { partitionKey: 'ORG1', rowKey: name, outcome_unknown: true };
  await rawTable(broker, 'OAuthConnections').updateEntity(row, 'Merge');
}

/** Works through what is due, without the queue. */
async function sweep(): Promise<void> {
  const { startSweep, workBatch } = broker.composition.broker;
  const { batches } = await startSweep({ trigger: 'automatic', org: null });
  for (const batch of batches) await workBatch(batch);
}

const outcomeUnknown = async (name: string) =>
  (await rawTable(broker, 'OAuthConnections').getEntity('ORG1', name)).outcome_unknown;

describe('a grant whose last refresh was lost in a crash', () => {
  it('uses up its access token first: the sweep puts it off to the last chance and calls nobody', async () => {
    const first = await createGranted(broker, 'patient', { expires_in: 8 * 3600 });
    hours(4.1);
    await crashDuringRefresh('patient');
    const before = calls();
    await sweep();
    expect(calls()).toBe(before);
    expect((await credentialsOf(broker, 'patient')).json).toMatchObject({
      method: 'saved_token',
      access_token: first.access_token,
    });
    const { expires_at, next_refresh_at } = (await detailOf(broker, 'patient')).json;
    expect(Date.parse(expires_at) - Date.parse(next_refresh_at)).toBe(35 * 60_000);
    expect(await outcomeUnknown('patient')).toBe(true);

    hours(3.4);
    const next = answerNext(broker, { expires_in: 8 * 3600 });
    await sweep();
    expect((await credentialsOf(broker, 'patient')).json.access_token).toBe(next.access_token);
    expect(await outcomeUnknown('patient')).toBe(false);
  });

  it('is failed as crash_outcome_unknown when the refresh token turns out to be spent, and is not tried again', async () => {
    await createGranted(broker, 'spent', { expires_in: 8 * 3600 });
    await crashDuringRefresh('spent');
    hours(8.1);
    failNext(broker, 400, 'invalid_grant');
    expect((await credentialsOf(broker, 'spent')).json).toMatchObject({
      error: 'connection_not_ready',
      status: 'failed',
      status_reason: 'crash_outcome_unknown',
    });
    const before = calls();
    expect((await credentialsOf(broker, 'spent')).status).toBe(503);
    await sweep();
    expect(calls()).toBe(before);
  });

  it('uses up its access token first when all are refreshed, or a reader forces it, and then asks', async () => {
    const first = await createGranted(broker, 'forced', { expires_in: 8 * 3600 });
    await crashDuringRefresh('forced');
    hours(1);
    const before = calls();
    const { startSweep, workBatch } = broker.composition.broker;
    const { batches } = await startSweep({ trigger: 'manual', org: null });
    for (const batch of batches) await workBatch(batch);
    const forced = await credentialsOf(broker, 'forced', '?force_refresh=true');
    expect(forced.json).toMatchObject({ method: 'saved_token', access_token: first.access_token });
    expect(calls()).toBe(before);
    expect(await outcomeUnknown('forced')).toBe(true);

    hours(6.9);
    const next = answerNext(broker, { expires_in: 8 * 3600 });
    const later = await credentialsOf(broker, 'forced', '?force_refresh=true');
    expect(later.json).toMatchObject({ method: 'refreshed', access_token: next.access_token });
  });

  it('is tried by a reader who needs more life than the access token has left', async () => {
    await createGranted(broker, 'longer', { expires_in: 3600 });
    await crashDuringRefresh('longer');
    hours(0.2);
    const next = answerNext(broker, { expires_in: 3600 });
    const answer = await credentialsOf(broker, 'longer', '?force_refresh=true&min_ttl_seconds=3300');
    expect(answer.json).toMatchObject({ method: 'refreshed', access_token: next.access_token });
  });

  it('is tried by an operator who asks for it, and at once where tokens can be minted anew', async () => {
    await createGranted(broker, 'asked', { expires_in: 8 * 3600 });
    await crashDuringRefresh('asked');
    answerNext(broker, { expires_in: 90 * 3600 });
    const refreshed = await broker.call('POST', '/api/oauth/connections/asked/refresh', { body: {} });
    expect(refreshed.json).toMatchObject({ status: 'completed', refreshed: true });

    await createMinting(broker, 'minted');
    answerNext(broker, { expires_in: 8 * 3600, refresh_token: undefined });
    await credentialsOf(broker, 'minted');
    hours(4.1);
    await crashDuringRefresh('minted');
    const next = answerNext(broker, { expires_in: 8 * 3600, refresh_token: undefined });
    await sweep();
    expect((await credentialsOf(broker, 'minted')).json.access_token).toBe(next.access_token);
  });
});

describe('a grant whose provider was asked and gave no answer', () => {
  const lost: readonly (readonly [string, () => void])[] = [
    ['the connection broke', () => broker.server.tokens.dropNext({ afterProcessing: true })],
    ['a gateway spoke for it', () => broker.server.tokens.respondNext({ status: 504, body: 'late' })],
    ['it was well, but nonsense', () => broker.server.tokens.respondNext({ status: 200, body: '<!doctype html>' })],
  ];

  it.each(lost)('uses up its access token before the sweep asks again: %s', async (what, lose) => {
    const name = `lost-${what.replaceAll(/\W+/g, '-')}`;
    const { access_token } = await createGranted(broker, name, { expires_in: 8 * 3600 });
    hours(4.1);
    lose();
    const before = calls();
    await sweep();
    expect(calls()).toBe(before + 1);
    expect(await outcomeUnknown(name)).toBe(true);
    hours(0.5);
    await sweep();
    expect(calls(), 'it is not asked again').toBe(before + 1);
    expect((await credentialsOf(broker, name)).json).toMatchObject({ method: 'saved_token', access_token });
    const { expires_at, next_refresh_at, failure } = (await detailOf(broker, name)).json;
    expect(Date.parse(expires_at) - Date.parse(next_refresh_at)).toBe(35 * 60_000);
    expect(failure.attempts).toBe(1);

    hours(2.9);
    failNext(broker, 400, 'invalid_grant');
    await sweep();
    expect(calls()).toBe(before + 2);
    expect((await detailOf(broker, name)).json).toMatchObject({ status_reason: 'crash_outcome_unknown' });
  });

  it('is asked again once the backoff is over when it did answer, though with 503', async () => {
    await createGranted(broker, 'answered', { expires_in: 8 * 3600 });
    hours(4.1);
    failNext(broker, 503, 'temporarily_unavailable');
    await sweep();
    expect(await outcomeUnknown('answered')).toBe(false);
    hours(0.5);
    const next = answerNext(broker, { expires_in: 8 * 3600 });
    await sweep();
    expect((await credentialsOf(broker, 'answered')).json.access_token).toBe(next.access_token);
  });
});

describe('a grant that nobody uses', () => {
  it('is refreshed once a day to keep its refresh token alive, and like the others once it is used again', async () => {
    await createGranted(broker, 'idle', { expires_in: 8 * 3600 });
    hours(7 * 24 + 1);
    answerNext(broker, { expires_in: 8 * 3600 });
    await sweep();
    const before = calls();
    hours(5);
    await sweep();
    expect(calls()).toBe(before);
    hours(20);
    answerNext(broker, { expires_in: 8 * 3600 });
    await sweep();
    expect(calls()).toBe(before + 1);
    await credentialsOf(broker, 'idle');
    hours(4.1);
    answerNext(broker, { expires_in: 8 * 3600 });
    await sweep();
    expect(calls()).toBe(before + 2);
  });
});
