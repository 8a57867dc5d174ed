import { QueueClient } from '@azure/storage-queue';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { refreshQueueName } from '../../src/settings.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { connect, createConnection, credentialsOf } from './support/authorizing.ts';
import { answerNext, createGranted, createMinting, failNext } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker();
});
afterAll(() => broker.stop());

const hours = (count: number) => broker.clock.advance(count * 3_600_000);
const status = (query = '', call: Call = {}) => broker.call('GET', `/api/oauth/refresh_job_status${query}`, call);

async function refreshAll(call: Call = {}): Promise<string> {
  const begun = await broker.call('POST', '/api/oauth/refresh_all', { ...call, body: {} });
  expect(begun.status, begun.text).toBe(202);
  expect(Object.keys(begun.json)).toEqual(['job_id']);
  return begun.json.job_id;
}

/** Waits until a job has ended. */
function finished(job: string, call: Call = {}) {
  return vi.waitFor(
    async () => {
      const { json } = await status(`?job_id=${job}`, call);
      expect(json.state).toBe('finished');
      return json;
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** Runs the timer and waits for its job. */
async function sweep() {
  await broker.host.runTimer('refreshSweep');
  const newest = await status('', { org: 'GLOBAL' });
  expect(newest.json.trigger).toBe('automatic');
  return finished(newest.json.job_id, { org: 'GLOBAL' });
}

describe('refreshSweep and refreshBatch', () => {
  it('refresh what is due, leave the rest alone, and count both', async () => {
    await createGranted(broker, 'due-1', { expires_in: 4 * 3600 });
    await createGranted(broker, 'due-2', { expires_in: 4 * 3600 }, { org: 'ORG2' });
    const early = await createGranted(broker, 'not-due', { expires_in: 30 * 3600 });
    hours(3.5);
    const calls = broker.server.tokens.count();
    const next = [answerNext(broker, { expires_in: 90_000 }), answerNext(broker, { expires_in: 90_000 })];
    const job = await sweep();
    expect(job).toMatchObject({ trigger: 'automatic', due: 2, refreshed: 2, skipped: 0, failed: 0, errors: [] });
    expect(Date.parse(job.finished_at)).toBeGreaterThanOrEqual(Date.parse(job.started_at));
    expect(broker.server.tokens.count()).toBe(calls + 2);
    const tokens = [
      (await credentialsOf(broker, 'due-1')).json.access_token,
      (await credentialsOf(broker, 'due-2', '', { org: 'ORG2' })).json.access_token,
    ];
    expect(tokens.sort()).toEqual(next.map(({ access_token }) => access_token).sort());
    expect((await credentialsOf(broker, 'not-due')).json.access_token).toBe(early.access_token);
  });

  it('find nothing to do a second time: the job is finished at once', async () => {
    const job = await sweep();
    expect(job).toMatchObject({ due: 0, refreshed: 0, failed: 0, state: 'finished' });
  });

  it('refresh users’ grants too', async () => {
    await createConnection(broker, 'people');
    await connect(broker, 'people', { body: { user_id: 'ann' } });
    const before = (await credentialsOf(broker, 'people', '?user_id=ann')).json.access_token;
    hours(24.1);
    const job = await sweep();
    expect(job.refreshed).toBeGreaterThanOrEqual(1);
    const after = await credentialsOf(broker, 'people', '?user_id=ann');
    expect(after.status).toBe(200);
    expect(after.json.access_token).not.toBe(before);
    await broker.call('DELETE', '/api/oauth/connections/people');
  });

  it('overlap without harm: three sweeps at once submit each refresh token once (I7)', async () => {
    const names = ['lap-1', 'lap-2', 'lap-3'];
    for (const name of names) await createGranted(broker, name, { expires_in: 4 * 3600 });
    hours(3.5);
    for (const _ of names) answerNext(broker, { expires_in: 90_000 });
    const calls = broker.server.tokens.count();
    await Promise.all([1, 2, 3].map(() => broker.host.runTimer('refreshSweep')));
    await sweep();
    await vi.waitFor(() => expect(broker.server.tokens.count()).toBe(calls + 3));
    expect(Math.max(...broker.server.tokens.refreshSubmissions().values())).toBe(1);
  });

  it('do not let one bad grant hold up the others, and say which it was (I9)', async () => {
    const call = { org: 'ORG5' };
    for (const name of ['good', 'bad']) await createGranted(broker, name, { expires_in: 4 * 3600 }, call);
    hours(3.5);
    failNext(broker, 400, 'invalid_grant');
    answerNext(broker, { expires_in: 90_000 });
    const job = await sweep();
    expect(job).toMatchObject({ due: 2, refreshed: 1, failed: 1 });
    expect(job.errors).toEqual([
      { connection_name: expect.stringMatching(/^(good|bad)$/), org_id: 'ORG5', code: 'needs_reauthorization' },
    ]);
  });
});

describe('POST refresh_all', () => {
  it('202, and every grant of the organisation is refreshed, due or not; no other organisation’s', async () => {
    const call = { org: 'ORG3' };
    await createGranted(broker, 'mine', { expires_in: 90_000 }, call);
    await createMinting(broker, 'minting', {}, call);
    await credentialsOf(broker, 'minting', '', call);
    const theirs = await createGranted(broker, 'theirs', { expires_in: 90_000 }, { org: 'ORG4' });
    broker.clock.advance(1000);
    const calls = broker.server.tokens.count();
    const job = await finished(await refreshAll(call), call);
    expect(job).toMatchObject({ trigger: 'manual', due: 2 });
    expect(job.refreshed + job.failed).toBe(2);
    expect(broker.server.tokens.count()).toBe(calls + 2);
    const other = await credentialsOf(broker, 'theirs', '', { org: 'ORG4' });
    expect(other.json.access_token).toBe(theirs.access_token);
  });

  it('202 with nothing to do: the job is finished at once', async () => {
    const call = { org: 'EMPTY' };
    expect(await finished(await refreshAll(call), call)).toMatchObject({ due: 0, refreshed: 0, skipped: 0, failed: 0 });
  });

  it('refreshes all organisations for GLOBAL, which only a platform caller may name', async () => {
    await createGranted(broker, 'one', { expires_in: 90_000 }, { org: 'ORGA' });
    await createGranted(broker, 'two', { expires_in: 90_000 }, { org: 'ORGB' });
    const admin = await broker.createKey(['ORGA'], ['admin']);
    const refused = await broker.call('POST', '/api/oauth/refresh_all', { org: 'GLOBAL', key: admin, body: {} });
    expect(refused.status).toBe(403);
    broker.clock.advance(1000);
    const call = { org: 'GLOBAL' };
    const job = await finished(await refreshAll(call), call);
    const touched = new Set(job.errors.map(({ org_id }: { org_id: string }) => org_id));
    expect(touched.has('ORGA') && touched.has('ORGB')).toBe(true);
  });

  it('400 for an unknown field', async () => {
    const answer = await broker.call('POST', '/api/oauth/refresh_all', { body: { org_id: 'ORG2' } });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed', details: [{ path: 'org_id' }] } });
  });
});

describe('GET refresh_job_status', () => {
  it('shows the newest, or the one that is named', async () => {
    const call = { org: 'ORG6' };
    const first = await refreshAll(call);
    broker.clock.advance(10);
    const second = await refreshAll(call);
    await finished(second, call);
    expect((await status('', call)).json.job_id).toBe(second);
    expect((await status(`?job_id=${first}`, call)).json).toMatchObject({ job_id: first, state: 'finished' });
  });

  it('shows a sweep of all organisations with the errors of the caller’s own only', async () => {
    for (const org of ['ORG7', 'ORG8']) {
      await createGranted(broker, 'broken', { expires_in: 4 * 3600 }, { org });
    }
    hours(3.5);
    failNext(broker, 400, 'invalid_grant', { times: 2 });
    const { job_id } = await sweep();
    const query = `?job_id=${job_id}`;
    const own = (await status(query, { org: 'ORG7' })).json;
    expect(own.errors).toEqual([{ connection_name: 'broken', org_id: 'ORG7', code: 'needs_reauthorization' }]);
    const key = await broker.createKey(['ORG8'], ['auditor']);
    expect((await status(query, { key, org: null })).text).not.toContain('ORG7');
    expect((await status(query, { org: 'GLOBAL' })).json.errors).toHaveLength(2);
    expect((await status(query, { org: 'ORG9' })).json.errors).toEqual([]);
  });

  it('404 job_not_found for another organisation’s job, for none, and for an id that is none', async () => {
    const theirs = await refreshAll({ org: 'ORG10' });
    for (const id of [theirs, 'absent', theirs.replace(/.$/, (end) => (end === '0' ? '1' : '0'))]) {
      expect(await status(`?job_id=${id}`, { org: 'ORG11' })).toMatchObject({
        status: 404,
        json: { error: 'job_not_found' },
      });
    }
    expect((await status(`?job_id=${theirs}`, { org: 'GLOBAL' })).status).toBe(200);
  });

  it.each(["job_id=x'%20or%20'1", 'job_id=', 'org_id=ORG2'])('400 for ?%s', async (query) => {
    expect(await status(`?${query}`)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('404 job_not_found while there has been none', async () => {
    const fresh = await startTestBroker();
    try {
      const answer = await fresh.call('GET', '/api/oauth/refresh_job_status');
      expect(answer).toMatchObject({ status: 404, json: { error: 'job_not_found' } });
    } finally {
      await fresh.stop();
    }
  });
});

describe('a message on oauth-refresh', () => {
  const open = () => new QueueClient(inject('azuriteConnectionString'), refreshQueueName(broker.prefix));
  const send = (message: unknown) => open().sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));

  it('is parked on the poison queue when it is no batch, and reported; the others go on (I18)', async () => {
    await send({ hello: 'world' });
    await vi.waitFor(() => expect(broker.lines.join('\n')).toContain('refresh_batch_poisoned'), {
      timeout: 15_000,
      interval: 50,
    });
    const parked = broker.host.lines.find(({ message }) => message === 'A queue message was moved to the poison queue');
    expect(parked?.fields).toMatchObject({ poisonQueue: `${refreshQueueName(broker.prefix)}-poison` });
    const reported = broker.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
    expect(reported).toMatchObject([{ event: 'refresh_batch_poisoned', job_id: null, batch: null, grants: 0 }]);
    const call = { org: 'ORG12' };
    expect(await finished(await refreshAll(call), call)).toMatchObject({ state: 'finished' });
  });

  it('holds nothing secret, and does no harm when it comes three times (I18)', async () => {
    const call = { org: 'ORG13' };
    const { access_token, refresh_token } = await createGranted(broker, 'replayed', { expires_in: 90_000 }, call);
    broker.clock.advance(1000);
    const sent = vi.spyOn(QueueClient.prototype, 'sendMessage');
    answerNext(broker, { expires_in: 90_000 });
    const calls = broker.server.tokens.count();
    const job = await refreshAll(call);
    const text = Buffer.from(sent.mock.calls[0]?.[0] ?? '', 'base64').toString();
    sent.mockRestore();
    expect(JSON.parse(text).grants).toMatchObject([{ org: 'ORG13', connection: 'replayed' }]);
    for (const secret of [access_token, refresh_token]) expect(text).not.toContain(secret);
    expect(await finished(job, call)).toMatchObject({ refreshed: 1 });
    for (let time = 0; time < 2; time += 1) await send(JSON.parse(text));
    await vi.waitFor(async () => expect((await open().getProperties()).approximateMessagesCount).toBe(0));
    const { due, refreshed, skipped, failed, unaccounted } = (await status(`?job_id=${job}`, call)).json;
    const figures = { due, worked: refreshed + skipped, failed, unaccounted };
    expect(figures).toEqual({ due: 1, worked: 1, failed: 0, unaccounted: 0 });
    expect(broker.server.tokens.count()).toBe(calls + 1);
  });
});
