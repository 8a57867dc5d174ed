import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { batchMessage } from '../../src/functions/triggers/batch-message.ts';
import { refreshQueueName } from '../../src/settings.ts';
import type { RefreshBatch } from '../../src/usecases/refresh/sweep.ts';
import { hashOfToken } from '../support/authorization-server/token-recorder.ts';
import { startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { createConnection, credentialsOf } from './support/authorizing.ts';
import { type Entry, entriesOf, rawIndex, timesOf } from './support/due-entries.ts';
import { answerNext, createGranted, createRefreshing, tokenAnswer } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const hours = (count: number) => broker.clock.advance(count * 3_600_000);
const inFourHours = () => new Date(broker.clock.now() + 4 * 3_600_000).toISOString();
const startSweep = () => broker.composition.broker.startSweep({ trigger: 'automatic', org: null });
const queue = (suffix = '') =>
  new QueueClient(inject('azuriteConnectionString'), `${refreshQueueName(broker.prefix)}${suffix}`);

/** Puts batches on a queue of the host, in an order of their own. */
async function send(batches: readonly RefreshBatch[], suffix = ''): Promise<void> {
  const target = queue(suffix);
  await target.createIfNotExists();
  for (const batch of batches) {
    await target.sendMessage(Buffer.from(JSON.stringify(batchMessage(batch))).toString('base64'));
  }
}

function finished(id: string) {
  const find = async () => {
    const job = await broker.composition.broker.getRefreshJob({ org: 'GLOBAL' as never, seesAll: true, jobId: id });
    expect(job.state).toBe('finished');
    return job;
  };
  return vi.waitFor(find, { timeout: 15_000, interval: 50 });
}

/** Resolves when every message has been worked on. */
const worked = () =>
  vi.waitFor(async () => expect((await queue().getProperties()).approximateMessagesCount).toBe(0), {
    timeout: 15_000,
    interval: 50,
  });

async function createMany(count: number, org: string): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, i) => `many-${i}`);
  for (let start = 0; start < count; start += 20) {
    await Promise.all(
      names.slice(start, start + 20).map(async (name) => {
        await createRefreshing(broker, name, {}, { org });
        const tokens = { access_token: `at-${org}-${name}`, refresh_token: `rt-${org}-${name}` };
        const body = { ...tokens, expires_at: inFourHours() };
        const given = await broker.call('POST', `/api/oauth/connections/${name}/tokens`, { org, body });
        expect(given.status, given.text).toBe(200);
      }),
    );
  }
  return names;
}

/** Puts an entry in for another time, as a crash between writes leaves it. */
async function leaveEntry({ partitionKey, rowKey }: Entry, at: number): Promise<void> {
  const index = rawIndex(broker);
  const { org, connection_org, connection, user_id, server } = await index.getEntity(partitionKey, rowKey);
  const bucket = `${Math.floor(at / 3_600_000)}`.padStart(7, '0');
  await index.createEntity({
    ...{ org, connection_org, connection, user_id, server },
    partitionKey: `${partitionKey.slice(0, 4)}${bucket}`,
    rowKey: `${at}|${rowKey.slice(14)}`,
  });
}

describe('sweeps that overlap', () => {
  it('refresh each of 200 due grants exactly once, whatever is delivered how often (I7, I18)', async () => {
    const org = 'OVERLAP';
    const names = await createMany(200, org);
    hours(3.8);
    broker.server.tokens.respondNext({ status: 200, body: tokenAnswer({ expires_in: 90_000 }), times: 1000 });
    const calls = broker.server.tokens.count();
    const sweeps = await Promise.all([startSweep(), startSweep(), startSweep()]);
    expect(sweeps.map(({ batches }) => batches.flatMap(({ grants }) => grants).length)).toEqual([200, 200, 200]);
    await send(sweeps.flatMap(({ batches }) => batches).toSorted((a, b) => b.batch - a.batch));
    const jobs = await Promise.all(sweeps.map(({ jobId }) => finished(jobId)));
    const submitted = broker.server.tokens.refreshSubmissions();
    expect(names.map((name) => submitted.get(hashOfToken(`rt-${org}-${name}`)))).toEqual(names.map(() => 1));
    expect(broker.server.tokens.count()).toBe(calls + 200);
    expect(jobs.map((job) => [job.refreshed + job.skipped, job.failed])).toEqual([1, 2, 3].map(() => [200, 0]));
    const left = await entriesOf(broker);
    expect(left).toHaveLength(200);
    expect(left.every(({ at }) => at > broker.clock.now())).toBe(true);
    expect((await startSweep()).batches).toEqual([]);
    broker.server.tokens.reset();
  }, 60_000);
});

describe('a batch', () => {
  it('is harmless when it comes three times, out of order (I18)', async () => {
    const org = 'REPLAY';
    const names = await createMany(20, org);
    hours(3.8);
    broker.server.tokens.respondNext({ status: 200, body: tokenAnswer({ expires_in: 90_000 }), times: 1000 });
    const { jobId, batches } = await startSweep();
    expect(batches.map(({ grants }) => grants.length)).toEqual([16, 4]);
    await send([...batches, ...batches.toReversed(), ...batches]);
    await worked();
    const job = await finished(jobId);
    const submitted = broker.server.tokens.refreshSubmissions();
    expect(names.map((name) => submitted.get(hashOfToken(`rt-${org}-${name}`)))).toEqual(names.map(() => 1));
    expect(job).toMatchObject({ due: 20, failed: 0 });
    expect(job.refreshed + job.skipped).toBe(20);
    broker.server.tokens.reset();
  });

  it('removes an entry at once that a crash has left, so that the next sweep does not meet it', async () => {
    await createGranted(broker, 'crashed', { expires_in: 90_000 });
    const [current] = await entriesOf(broker, 'crashed');
    if (current === undefined) throw new Error('no entry');
    await leaveEntry(current, broker.clock.now() - 3_600_000);
    expect(await timesOf(broker, 'crashed')).toHaveLength(2);
    const calls = broker.server.tokens.count();
    const { jobId, batches } = await startSweep();
    expect(batches.flatMap(({ grants }) => grants)).toMatchObject([{ key: { connection: 'crashed' } }]);
    await send(batches);
    expect(await finished(jobId)).toMatchObject({ due: 1, skipped: 1, failed: 0 });
    expect(broker.server.tokens.count()).toBe(calls);
    expect(await entriesOf(broker, 'crashed')).toEqual([current]);
    expect((await startSweep()).batches).toEqual([]);
  });

  it('takes a grant out of the index that only a person can renew', async () => {
    await createConnection(broker, 'finite');
    const body = { access_token: 'at-finite', expires_at: inFourHours() };
    const given = await broker.call('POST', '/api/oauth/connections/finite/tokens', { body });
    expect(given.status, given.text).toBe(200);
    expect(await timesOf(broker, 'finite')).toHaveLength(1);
    hours(3.8);
    const { jobId, batches } = await startSweep();
    await send(batches);
    expect(await finished(jobId)).toMatchObject({ failed: 0 });
    expect(await timesOf(broker, 'finite')).toEqual([]);
    expect((await credentialsOf(broker, 'finite')).status).toBe(200);
  });
});

describe('a batch that the queue has given up', () => {
  it('is reported and noted with its job, and the next sweep refreshes its grants (I18)', async () => {
    const call = { org: 'POISON' };
    const secrets = [];
    for (const name of ['one', 'two']) secrets.push(await createGranted(broker, name, { expires_in: 4 * 3600 }, call));
    hours(3.8);
    const { jobId, batches } = await startSweep();
    const [batch] = batches;
    await send(batches, '-poison');
    const job = await finished(jobId);
    expect(job).toMatchObject({ due: 2, refreshed: 0, failed: 2, byOrg: { POISON: { failed: 2 } } });
    expect(job.errors.map(({ connection, org, code }) => [connection, org, code]).sort()).toEqual([
      ['one', 'POISON', 'internal_error'],
      ['two', 'POISON', 'internal_error'],
    ]);
    const lines = broker.lines.filter((line) => line.includes('refresh_batch_poisoned'));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'error', job_id: jobId, batch: batch?.batch, grants: 2 },
    ]);
    for (const { access_token, refresh_token } of secrets) {
      expect(lines.join()).not.toContain(access_token);
      expect(lines.join()).not.toContain(refresh_token);
    }
    for (const _ of secrets) answerNext(broker, { expires_in: 90_000 });
    await broker.host.runTimer('refreshSweep');
    await vi.waitFor(async () => {
      const times = [...(await timesOf(broker, 'one')), ...(await timesOf(broker, 'two'))];
      expect(times.filter((at) => at > broker.clock.now())).toHaveLength(2);
    });
  });

  it.each([
    ['a step of a rekey job', 'rekey_step_poisoned', { kind: 'rekey', job_id: 'some-job', step: 1 }],
    ['about a device authorization', 'device_step_poisoned', { kind: 'device', state_hash: 'some-hash', step: 2 }],
    ['a revocation', 'revocation_poisoned', { kind: 'revoke', id: 'some-row' }],
  ])('is reported too, with what it names, when it was %s', async (_, event, message) => {
    const sent = { ...message, access_token: 'at-that-should-not-be-here' };
    await queue('-poison').sendMessage(Buffer.from(JSON.stringify(sent)).toString('base64'));
    const { kind: _kind, ...names } = message;
    await vi.waitFor(() => {
      const line = broker.lines.find((each) => each.includes(event)) ?? '{}';
      expect(JSON.parse(line)).toMatchObject({ level: 'error', event, ...names });
    });
    expect(broker.lines.join()).not.toContain(sent.access_token);
  });
});
