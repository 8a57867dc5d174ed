import { TableClient } from '@azure/data-tables';
import { QueueClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { refreshQueueName } from '../../src/settings.ts';
import { type Call, startTestBroker, type TestBroker } from '../support/test-broker.ts';
import { addVaultKey, disableVaultKey } from '../support/vault-keys.ts';
import { createRefreshing } from './support/granted.ts';

let broker: TestBroker;
beforeAll(async () => {
  broker = await startTestBroker({
    settings: { OAUTH_TOKEN_ENCRYPTION_KEY: '' },
    rekeyLimits: { pageRows: 3, stepRows: 3, stepMs: 5000 },
  });
  await addVaultKey(broker.vault.url);
  for (const index of [0, 1, 2, 3, 4, 5, 6]) await createLasting(`c${index}`);
});
afterAll(() => broker.stop());
afterEach(() => broker.vault.faults.clear());

/** No sweep refreshes it meanwhile, which would seal it too. */
async function createLasting(name: string): Promise<void> {
  await createRefreshing(broker, name);
  const body = { access_token: `at-of-${name}`, expires_at: '2999-01-01T00:00:00Z' };
  const imported = await broker.call('POST', `/api/oauth/connections/${name}/tokens`, { body });
  expect(imported.status, imported.text).toBe(200);
}

const rekey = (call: Call = {}) => broker.call('POST', '/api/oauth/rekey', { org: null, body: {}, ...call });
const status = (query = '', call: Call = {}) =>
  broker.call('GET', `/api/oauth/rekey_job_status${query}`, { org: null, ...call });
const useCases = () => broker.composition.broker;

function finished(job: string) {
  return vi.waitFor(
    async () => {
      const { json } = await status(`?job_id=${job}`);
      expect(json.state).toBe('finished');
      return json;
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** A job whose steps no queue carries: the test hands them out. */
async function heldJob(): Promise<string> {
  const key = await addVaultKey(broker.vault.url);
  const { jobId, step } = await useCases().startRekey();
  expect(step).toBe(0);
  expect((await useCases().getRekeyJob(jobId)).keyId).toBe(key.id);
  return jobId;
}
const deliver = (jobId: string, step: number, isRedelivered = false) =>
  useCases().workRekey({ jobId, step, isRedelivered });

async function workToTheEnd(jobId: string, from = 0): Promise<void> {
  let next = await deliver(jobId, from);
  while (next !== null) next = await deliver(jobId, next.step);
  expect((await status(`?job_id=${jobId}`)).json.state).toBe('finished');
}

describe('before the first job', () => {
  it('GET 404 job_not_found', async () => {
    expect(await status()).toMatchObject({ status: 404, json: { error: 'job_not_found' } });
  });

  it('POST 503 vault_unavailable while the keys cannot be read, and no job begins', async () => {
    broker.vault.faults.outage();
    expect(await rekey()).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
    broker.vault.faults.clear();
    expect((await status()).status).toBe(404);
  });
});

describe('POST rekey', () => {
  it('202: seals everything with the key that is a moment old, and says so', async () => {
    const key = await addVaultKey(broker.vault.url);
    const begun = await rekey();
    expect(begun.status, begun.text).toBe(202);
    const job = await finished(begun.json.job_id);
    expect(job).toEqual({
      job_id: begun.json.job_id,
      state: 'finished',
      started_at: expect.any(String),
      updated_at: expect.any(String),
      finished_at: expect.any(String),
      sealed_anew: 7,
      already_current: 0,
      unreadable: 0,
      keys: [{ key_id: key.id, rows: 7 }],
      old_key_in_use: false,
    });
    expect((await status()).json).toEqual(job);
    const again = (await rekey()).json.job_id;
    expect(again).not.toBe(job.job_id);
    expect(await finished(again)).toMatchObject({ sealed_anew: 0, already_current: 7, old_key_in_use: false });
  });

  it('202 with the job that is under way: it goes on where it is', async () => {
    const held = await heldJob();
    await deliver(held, 0);
    expect((await rekey()).json).toEqual({ job_id: held });
    const { sealed_anew, already_current } = await finished(held);
    expect(sealed_anew + already_current).toBe(7);
  });

  it('202 with a new job when another key has been added since', async () => {
    const held = await heldJob();
    const newest = await addVaultKey(broker.vault.url);
    const { json } = await rekey();
    expect(json.job_id).not.toBe(held);
    expect((await finished(json.job_id)).keys).toEqual([{ key_id: newest.id, rows: 7 }]);
  });

  it('400 for an unknown field', async () => {
    const answer = await rekey({ body: { org_id: 'ORG1' } });
    expect(answer).toMatchObject({ status: 400, json: { error: 'validation_failed', details: [{ path: 'org_id' }] } });
  });
});

describe('GET rekey_job_status', () => {
  it('200 for a job under way: the old key counts as in use until the end', async () => {
    const held = await heldJob();
    expect((await status(`?job_id=${held}`)).json).toMatchObject({ state: 'running', finished_at: null });
    broker.clock.advance(1000);
    await deliver(held, 0);
    const { json } = await status();
    expect(json).toMatchObject({ sealed_anew: 3, old_key_in_use: true });
    expect(Date.parse(json.updated_at)).toBeGreaterThanOrEqual(Date.parse(json.started_at) + 1000);
    await workToTheEnd(held, 1);
  });

  it.each(["job_id=x'%20or%20'1", 'job_id=', 'org_id=ORG2'])('400 for ?%s', async (query) => {
    expect(await status(`?${query}`)).toMatchObject({ status: 400, json: { error: 'validation_failed' } });
  });

  it('404 job_not_found for an id that is none', async () => {
    for (const id of ['absent', `${'0'.repeat(13)}-${'0'.repeat(32)}`]) {
      expect(await status(`?job_id=${id}`)).toMatchObject({ status: 404, json: { error: 'job_not_found' } });
    }
  });
});

describe('both routes', () => {
  it('401 without a key', async () => {
    for (const ask of [rekey, (call: Call) => status('', call)]) {
      expect(await ask({ key: null })).toMatchObject({ status: 401, json: { error: 'unauthenticated' } });
    }
  });

  it('403 organization_forbidden for an admin without ["*"], whatever organisation they name', async () => {
    for (const orgs of [['ORG1'], ['ORG1', 'ORG2']]) {
      const key = await broker.createKey(orgs, ['admin']);
      for (const ask of [rekey, (call: Call) => status('', call)]) {
        for (const org of [orgs[0] ?? null, 'GLOBAL']) {
          expect(await ask({ key, org })).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
        }
      }
    }
  });

  it('403 role_required for a platform caller who is no admin', async () => {
    const key = await broker.createKey(['*'], ['operator', 'auditor', 'reader']);
    for (const ask of [rekey, (call: Call) => status('', call)]) {
      expect(await ask({ key })).toMatchObject({ status: 403, json: { error: 'role_required' } });
    }
  });

  it('403 organization_forbidden for a platform caller who acts for one organisation', async () => {
    for (const ask of [rekey, (call: Call) => status('', call)]) {
      expect(await ask({ org: 'ORG1' })).toMatchObject({ status: 403, json: { error: 'organization_forbidden' } });
      expect((await ask({ org: 'GLOBAL' })).status).toBeLessThan(300);
    }
    await finished((await status()).json.job_id);
  });
});

/** Storage refuses to change rows of one table. */
function refuseWrites(table: string) {
  const original = TableClient.prototype.updateEntity;
  return vi.spyOn(TableClient.prototype, 'updateEntity').mockImplementation(function (this: TableClient, ...change) {
    if (!this.tableName.endsWith(table)) return original.apply(this, change);
    throw Object.assign(new Error('refused'), { name: 'RestError', statusCode: 503 });
  });
}

describe('a step', () => {
  it('delivered twice, one after the other or side by side, is followed by one step and counted once (I18)', async () => {
    const held = await heldJob();
    const followers = await Promise.all([deliver(held, 0), deliver(held, 0)]);
    expect(followers.filter((next) => next !== null)).toEqual([{ jobId: held, step: 1 }]);
    expect(await deliver(held, 0)).toBeNull();
    await workToTheEnd(held, 1);
    const { sealed_anew, already_current } = (await status(`?job_id=${held}`)).json;
    expect(sealed_anew + already_current).toBe(7);
    for (const step of [0, 1, 2, 3, 99]) {
      for (const isRedelivered of [false, true]) expect(await deliver(held, step, isRedelivered)).toBeNull();
    }
  });

  it('cut off between checkpoint and queue says its successor again when it comes back', async () => {
    const held = await heldJob();
    await deliver(held, 0);
    expect(await deliver(held, 0, true)).toEqual({ jobId: held, step: 1 });
    await workToTheEnd(held, 1);
  });

  it('cut off before the checkpoint is done over, and what it had sealed counts as current', async () => {
    const held = await heldJob();
    const refused = refuseWrites('OAuthJobs');
    await expect(deliver(held, 0)).rejects.toMatchObject({ code: 'storage_unavailable' });
    refused.mockRestore();
    await workToTheEnd(held);
    expect((await status(`?job_id=${held}`)).json).toMatchObject({
      sealed_anew: 4,
      already_current: 3,
      old_key_in_use: false,
    });
  });

  it('comes back when the vault or storage is down, and nothing counts as unreadable', async () => {
    const held = await heldJob();
    const beside = await startTestBroker({ settings: { OAUTH_TOKEN_ENCRYPTION_KEY: '' }, beside: broker });
    try {
      broker.vault.faults.outage();
      const step = beside.composition.broker.workRekey({ jobId: held, step: 0, isRedelivered: false });
      await expect(step).rejects.toMatchObject({ code: 'vault_unavailable' });
      broker.vault.faults.clear();
      const refused = refuseWrites('OAuthConnections');
      await expect(deliver(held, 0)).rejects.toMatchObject({ code: 'storage_unavailable' });
      refused.mockRestore();
      expect((await status(`?job_id=${held}`)).json).toMatchObject({ state: 'running', unreadable: 0 });
    } finally {
      await beside.stop();
    }
    await workToTheEnd(held);
  });

  it('that was given up is taken up by the next sweep', async () => {
    const held = await heldJob();
    await broker.host.runTimer('refreshSweep');
    expect(await finished(held)).toMatchObject({ sealed_anew: 7 });
  });

  it('of a malformed message is parked, and names nothing secret', async () => {
    const queue = new QueueClient(inject('azuriteConnectionString'), refreshQueueName(broker.prefix));
    const odd = { kind: 'rekey', job_id: 'x', step: -1 };
    await queue.sendMessage(Buffer.from(JSON.stringify(odd)).toString('base64'));
    await vi.waitFor(() => expect(broker.lines.some((line) => line.includes('rekey_step_poisoned'))).toBe(true), {
      timeout: 15_000,
      interval: 50,
    });
  });
});

describe('rows that cannot be read', () => {
  it('are counted, logged without their tokens, left as they are, and stop nothing', async () => {
    const lost = await addVaultKey(broker.vault.url);
    await useCases().startRekey();
    await createRefreshing(broker, 'lost');
    await disableVaultKey(broker.vault.url, lost);
    const table = TableClient.fromConnectionString(
      inject('azuriteConnectionString'),
      `${broker.prefix}OAuthConnections`,
      { allowInsecureConnection: true },
    );
    await createRefreshing(broker, 'malformed');
    await table.updateEntity({ partitionKey: 'ORG1', rowKey: 'malformed', flow_type: 'nonsense' }, 'Merge');
    const sealedOf = async (name: string) => (await table.getEntity('ORG1', name)).sealed_0;
    const before = await Promise.all(['lost', 'malformed'].map(sealedOf));
    const newest = await addVaultKey(broker.vault.url);
    const { json } = await rekey();
    const job = await finished(json.job_id);
    expect(job).toMatchObject({ unreadable: 2, keys: [{ key_id: newest.id, rows: 7 }], old_key_in_use: true });
    expect(await Promise.all(['lost', 'malformed'].map(sealedOf))).toEqual(before);
    const line = broker.lines.find((each) => each.includes('grant_not_rekeyed')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ org: 'ORG1', connection: 'lost' });
    expect(broker.lines.join()).not.toContain('rt-first-of-lost');
  });
});
