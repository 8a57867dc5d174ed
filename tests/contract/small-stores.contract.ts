import { assert, beforeAll, describe, expect, it } from 'vitest';
import { GLOBAL, toConnectionName, toUserId, toWorkflowId } from '../../src/domain/ids.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import type { WorkflowDependency } from '../../src/domain/workflow.ts';
import type { JobStore } from '../../src/ports/job-store.ts';
import type { PurgedPage } from '../../src/ports/purged-page.ts';
import type { TransactionStore } from '../../src/ports/transaction-store.ts';
import type { WorkflowStore } from '../../src/ports/workflow-store.ts';
import { collect } from '../support/collect.ts';
import { acme, globex } from '../support/tables-samples.ts';

const crm = toConnectionName('crm');

export function sampleTransaction(digit: string): Transaction {
  return {
    stateHash: digit.repeat(64),
    connectionOrg: GLOBAL,
    connection: crm,
    org: acme,
    userId: toUserId('ann/ünï'),
    callerId: 'key:1',
    callerName: 'nightly sync',
    endpointsId: 'endpoints-1',
    redirectUri: 'https://bowline.example.com/api/oauth/callback',
    scopes: 'read',
    returnUrl: null,
    allowAccountChange: true,
    createdAt: 1_700_000_000_000,
    expiresAt: 1_700_000_600_000,
    isBrowserBound: false,
    codeVerifier: new Secret(`verifier-${digit}`),
    nonce: new Secret(`nonce-${digit}`),
    authorizationUrl: `https://login.example.com/authorize?x=${'y'.repeat(9000)}`,
    deviceCode: new Secret('device-code'),
  };
}

const inTheClear = (transaction: Transaction | undefined) =>
  transaction && {
    ...transaction,
    codeVerifier: transaction.codeVerifier.reveal(),
    nonce: transaction.nonce.reveal(),
    deviceCode: transaction.deviceCode?.reveal() ?? null,
  };

async function removedBy(purge: AsyncIterable<PurgedPage>): Promise<number> {
  const pages = await collect(purge);
  expect(pages.at(-1)?.cursor).toBeNull();
  return pages.reduce((sum, { removed }) => sum + removed, 0);
}

export function transactionStoreContract(makeStores: () => Promise<{ readonly transactions: TransactionStore }>): void {
  describe('a transaction store', () => {
    let transactions: TransactionStore;
    beforeAll(async () => {
      ({ transactions } = await makeStores());
    });

    it('gives back a transaction as it was created, its user or none', async () => {
      for (const transaction of [
        sampleTransaction('a'),
        { ...sampleTransaction('b'), userId: null, deviceCode: null },
      ]) {
        await transactions.create(transaction);
        expect(inTheClear(await transactions.get(transaction.stateHash))).toEqual(inTheClear(transaction));
      }
    });

    it('gives an expired one as well: whoever asks judges', async () => {
      await transactions.create({ ...sampleTransaction('c'), expiresAt: 1 });
      expect(await transactions.get('c'.repeat(64))).toMatchObject({ expiresAt: 1 });
    });

    it('finds nothing for a state that was never given, whatever it looks like', async () => {
      for (const odd of ['f'.repeat(64), '', 'x', "a' or '1'='1", '../..', 'A'.repeat(64), 'a'.repeat(2000)]) {
        expect(await transactions.get(odd)).toBeUndefined();
        expect(await transactions.consume(odd)).toBe(false);
        expect(await transactions.bindToBrowser(odd)).toBe(false);
      }
    });

    it('is bound to a browser once and for all', async () => {
      const { stateHash } = sampleTransaction('d');
      await transactions.create(sampleTransaction('d'));
      expect(await transactions.bindToBrowser(stateHash)).toBe(true);
      expect(await transactions.bindToBrowser(stateHash)).toBe(true);
      expect(await transactions.get(stateHash)).toMatchObject({ isBrowserBound: true, callerId: 'key:1' });
    });

    it('is consumed by exactly one of 20, even while it is being bound', async () => {
      const { stateHash } = sampleTransaction('e');
      await transactions.create(sampleTransaction('e'));
      const [consumed] = await Promise.all([
        Promise.all(Array.from({ length: 20 }, () => transactions.consume(stateHash))),
        transactions.bindToBrowser(stateHash),
      ]);
      expect(consumed.filter(Boolean)).toHaveLength(1);
      expect(await transactions.get(stateHash)).toBeUndefined();
      expect(await transactions.bindToBrowser(stateHash)).toBe(false);
    });

    it('gives each step of a device authorization to exactly one of 20, and the next to whoever comes after a crash', async () => {
      const { stateHash } = sampleTransaction('9');
      await transactions.create(sampleTransaction('9'));
      const take = (step: number, isRedelivered = false) => transactions.takeStep(stateHash, { step, isRedelivered });
      const taken = await Promise.all(Array.from({ length: 20 }, () => take(0)));
      expect(taken.filter((next) => next !== undefined)).toEqual([1]);
      expect(await take(0)).toBeUndefined();
      expect(await take(2)).toBeUndefined();
      expect(await take(0, true)).toBe(2);
      expect(await take(1)).toBeUndefined();
      expect(await take(2)).toBe(3);
      expect(await take(0, true)).toBeUndefined();
      await transactions.consume(stateHash);
      expect(await take(3)).toBeUndefined();
      expect(await transactions.takeStep('odd', { step: 0, isRedelivered: true })).toBeUndefined();
    });

    it('forgets those that expired before a time, wherever they lie, and no other', async () => {
      const expiring = ['2', '3', '4', '5'].map((digit, i) => ({ ...sampleTransaction(digit), expiresAt: 1000 + i }));
      for (const transaction of expiring) await transactions.create(transaction);
      expect(await removedBy(transactions.purgeExpired(1002, null))).toBeGreaterThanOrEqual(2);
      const left = await Promise.all(expiring.map(async ({ stateHash }) => await transactions.get(stateHash)));
      expect(left.map((transaction) => transaction?.expiresAt)).toEqual([undefined, undefined, 1002, 1003]);
      expect(await removedBy(transactions.purgeExpired(1002, null))).toBe(0);
      expect(await transactions.get('a'.repeat(64))).toBeDefined();
    });

    it('refuses one that is too long to be stored', async () => {
      const transaction = { ...sampleTransaction('1'), authorizationUrl: 'x'.repeat(70_000) };
      await expect(transactions.create(transaction)).rejects.toMatchObject({ code: 'validation_failed' });
      expect(await transactions.get(transaction.stateHash)).toBeUndefined();
    });
  });
}

export function workflowStoreContract(makeStores: () => Promise<{ readonly workflows: WorkflowStore }>): void {
  describe('a workflow store', () => {
    let workflows: WorkflowStore;
    beforeAll(async () => {
      ({ workflows } = await makeStores());
    });
    const nightly = toWorkflowId('nightly');
    const dependency = (changes: Partial<WorkflowDependency> = {}): WorkflowDependency => ({
      org: acme,
      workflowId: nightly,
      workflowName: 'Nightly',
      connectionOrg: acme,
      connection: crm,
      lastAccessedAt: 5,
      ...changes,
    });

    it('tells a dependency from both ends', async () => {
      await workflows.record(dependency());
      expect(await workflows.get(acme, nightly, crm)).toEqual(dependency());
      expect(await workflows.ofWorkflow(acme, nightly)).toEqual([dependency()]);
      expect(await workflows.ofConnection({ org: acme, name: crm })).toEqual([dependency()]);
    });

    it('renews the time and keeps the name when none is given', async () => {
      await workflows.record(dependency({ workflowName: null, lastAccessedAt: 9 }));
      const renewed = dependency({ lastAccessedAt: 9 });
      expect(await workflows.get(acme, nightly, crm)).toEqual(renewed);
      expect(await workflows.ofConnection({ org: acme, name: crm })).toEqual([renewed]);
    });

    it('keeps organisations and workflows with similar names apart', async () => {
      const name = toConnectionName('apart');
      const alike = ['flow', 'flow.', 'flow-', 'flow~', 'flow:1', 'flow2'].map((id) => toWorkflowId(id));
      for (const workflowId of alike) await workflows.record(dependency({ workflowId, connection: name }));
      await workflows.record(dependency({ org: globex, workflowId: toWorkflowId('flow'), connection: name }));
      for (const workflowId of alike) {
        const own = dependency({ workflowId, connection: name });
        expect(await workflows.ofWorkflow(acme, workflowId)).toEqual([own]);
      }
      expect(await workflows.ofConnection({ org: acme, name })).toHaveLength(7);
      expect(await workflows.ofConnection({ org: globex, name })).toEqual([]);
    });

    it('follows a workflow that moved from the GLOBAL connection to one of its own', async () => {
      const moved = { workflowId: toWorkflowId('moved'), connection: toConnectionName('moved') };
      await workflows.record(dependency({ ...moved, connectionOrg: GLOBAL }));
      await workflows.record(dependency({ ...moved, connectionOrg: acme }));
      expect(await workflows.ofConnection({ org: GLOBAL, name: moved.connection })).toEqual([]);
      expect(await workflows.ofConnection({ org: acme, name: moved.connection })).toHaveLength(1);
    });

    it('removes both directions, once', async () => {
      const gone = { workflowId: toWorkflowId('gone'), connection: toConnectionName('gone') };
      await workflows.record(dependency(gone));
      expect(await workflows.remove(acme, gone.workflowId, gone.connection)).toBe(true);
      expect(await workflows.remove(acme, gone.workflowId, gone.connection)).toBe(false);
      expect(await workflows.ofWorkflow(acme, gone.workflowId)).toEqual([]);
      expect(await workflows.ofConnection({ org: acme, name: gone.connection })).toEqual([]);
    });

    it('disables a workflow until it is enabled, beside its dependencies', async () => {
      const paused = toWorkflowId('paused');
      const disabled = { org: acme, workflowId: paused, reason: 'loops', disabledAt: 7, disabledBy: 'key:1' };
      await workflows.record(dependency({ workflowId: paused }));
      await workflows.disable({ ...disabled, connection: null });
      await workflows.disable({ ...disabled, reason: 'still loops', connection: crm });
      expect(await workflows.disabled(acme, paused)).toEqual({ ...disabled, reason: 'still loops', connection: crm });
      expect(await workflows.disabled(globex, paused)).toBeUndefined();
      expect(await workflows.listDisabled(acme)).toEqual([await workflows.disabled(acme, paused)]);
      expect(await workflows.ofWorkflow(acme, paused)).toHaveLength(1);
      expect(await workflows.enable(acme, paused)).toBe(true);
      expect(await workflows.enable(acme, paused)).toBe(false);
      expect(await workflows.listDisabled(acme)).toEqual([]);
      expect(await workflows.ofWorkflow(acme, paused)).toHaveLength(1);
    });
  });
}

export function jobStoreContract(makeStores: () => Promise<{ readonly jobs: JobStore }>): void {
  describe('a job store', () => {
    let jobs: JobStore;
    beforeAll(async () => {
      ({ jobs } = await makeStores());
    });
    const figures = { refreshed: 2, skipped: 1, failed: 1 };
    const counts = { ...figures, byOrg: { [acme]: figures } };
    const errors = [{ connection: crm, org: acme, code: 'provider_unavailable' as const }];

    it('knows no job before there is one, and none for an odd id', async () => {
      expect(await jobs.latest(acme)).toBeUndefined();
      for (const odd of ['', 'x', "' or 1 eq 1", 'a'.repeat(2000)]) expect(await jobs.get(odd)).toBeUndefined();
    });

    it('sums a job over its batches, a repeated one counted once', async () => {
      const startedAt = Date.now();
      const id = await jobs.begin({ trigger: 'automatic', org: null, startedAt });
      expect(await jobs.get(id)).toMatchObject({ id, state: 'running', due: 0, refreshed: 0, finishedAt: null });
      await jobs.dispatched(id, { due: 8, batches: 2 });
      await jobs.batchDone(id, 0, { ...counts, errors }, startedAt + 1000);
      await jobs.batchDone(id, 0, { ...counts, errors }, startedAt + 2000);
      expect(await jobs.get(id)).toMatchObject({ state: 'running', refreshed: 2 });
      await jobs.batchDone(id, 1, { ...counts, errors: [] }, 4_000_000_000_000);
      expect(await jobs.get(id)).toEqual({
        id,
        trigger: 'automatic',
        org: null,
        startedAt,
        finishedAt: 4_000_000_000_000,
        state: 'finished',
        due: 8,
        refreshed: 4,
        skipped: 2,
        failed: 2,
        byOrg: { [acme]: { refreshed: 4, skipped: 2, failed: 2 } },
        errors,
      });
    });

    it('runs for as long as something is heard of a job, and ends one that has been silent for two hours', async () => {
      const hourMs = 3_600_000;
      const startedAt = Date.now() - 5 * hourMs;
      const unknown = await jobs.begin({ trigger: 'automatic', org: null, startedAt });
      expect(await jobs.get(unknown)).toMatchObject({ state: 'finished', finishedAt: startedAt });
      const id = await jobs.begin({ trigger: 'manual', org: null, startedAt });
      await jobs.dispatched(id, { due: 48, batches: 3 });
      expect(await jobs.get(id)).toMatchObject({ state: 'running', finishedAt: null });
      const worked = await jobs.begin({ trigger: 'manual', org: null, startedAt });
      await jobs.batchDone(worked, 0, { ...counts, errors: [] }, startedAt + 2 * hourMs);
      expect(await jobs.get(worked)).toMatchObject({ state: 'finished', finishedAt: startedAt + 2 * hourMs });
      await jobs.batchDone(worked, 1, { ...counts, errors: [] }, startedAt + 4 * hourMs);
      expect(await jobs.get(worked)).toMatchObject({ state: 'running', finishedAt: null });
    });

    it('forgets jobs that began before a time, with their batches, and no other', async () => {
      const begin = (startedAt: number) => jobs.begin({ trigger: 'manual', org: null, startedAt });
      const ids = [await begin(1000), await begin(1999), await begin(2000)];
      for (const id of ids) await jobs.batchDone(id, 0, { ...counts, errors: [] }, 5);
      expect(await removedBy(jobs.purge(2000, null))).toBe(4);
      expect(await Promise.all(ids.map((id) => jobs.get(id)))).toEqual([
        undefined,
        undefined,
        expect.objectContaining({ refreshed: 2 }),
      ]);
      expect(await removedBy(jobs.purge(2000, null))).toBe(0);
    });

    it('finishes a job with nothing to do at once', async () => {
      const id = await jobs.begin({ trigger: 'automatic', org: null, startedAt: 1_700_000_000_000 });
      await jobs.dispatched(id, { due: 0, batches: 0 });
      const job = await jobs.get(id);
      expect(job).toMatchObject({ state: 'finished' });
      expect(job?.finishedAt).toBeGreaterThan(1_700_000_000_000);
    });

    it('shows an organisation the newest job of its own or of all organisations', async () => {
      const begin = (org: typeof acme | null, startedAt: number) => jobs.begin({ trigger: 'manual', org, startedAt });
      const all = await begin(null, 4_000_000_100_000);
      const own = await begin(acme, 4_000_000_200_000);
      const others = await begin(globex, 4_000_000_300_000);
      await jobs.batchDone(others, 0, { ...counts, errors: [] }, 5);
      expect((await jobs.latest(acme))?.id).toBe(own);
      expect((await jobs.latest(globex))?.id).toBe(others);
      expect((await jobs.latest(GLOBAL))?.id).toBe(all);
      expect([all, own, others].toSorted()).toEqual([others, own, all]);
      assert(own !== all);
    });
  });
}
