import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { expect, it, vi } from 'vitest';
import type { Answer } from '../support/running-hosts.ts';
import { addVaultKey, disableVaultKey } from '../support/vault-keys.ts';
import { expectAlive, expectSingleUse } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { importMany, quietSchedule } from './support/due.ts';
import { type ChaosGrant, credentials, refresh } from './support/grants.ts';
import { finishedRekey, rekeyStatus } from './support/jobs.ts';
import type { Match } from './support/recording-proxy.ts';
import { nth } from './support/requests.ts';
import { sized } from './support/size.ts';
import { keepFromQueue, openTablesView, type TablesView } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

const load = sized({
  short: { rows: 20, refreshers: 2, kills: 2 },
  full: { rows: 120, refreshers: 3, kills: 5 },
  long: { rows: 500, refreshers: 4, kills: 10 },
});
/** Of five rows one is refreshed over and over. */
const busyRows = Math.floor(load.rows / 5);
/** So many rows the job has in hand at once. */
const sideBySide = 8;
const mostWritesOfOne = Math.max(1, Math.floor((load.rows - busyRows) / load.kills) - sideBySide);

const pauseMs = 30;

const getWorld = useWorld({ providers: ['strict'], environment: quietSchedule() });

it('a new encryption key loses no grant, though they are refreshed and the process of its job is killed again and again', async () => {
  const world = getWorld();
  const refreshers = await world.startHosts(load.refreshers);
  const provider = world.provider('strict');
  const grants = await importMany(world, refreshers, { prefix: 'sealed', count: load.rows, provider });
  const busy = world.random.shuffled(grants).slice(0, busyRows);
  const oldKey = await currentKey(world);
  const newKey = await addVaultKey(world.vault.origin);

  keepFromQueue(world);
  const view = await openTablesView(world, { name: 'tables-of-rekey' });
  const refreshing = refreshers.map((host) => startRefreshing(world, host, busy));
  const { worker, jobId } = await killWorkers(world, view);
  const first = await finishedRekey(worker, jobId);
  expect(first).toMatchObject({ unreadable: 0 });
  // A refresh that began before its process knew the new key may have sealed with the old one behind the job's back.
  for (const each of refreshing) await each.turn();
  const job = await repeatedUntilClean(worker);
  expect(job).toMatchObject({ unreadable: 0, old_key_in_use: false, keys: [{ key_id: newKey.id, rows: load.rows }] });
  const answers = (await Promise.all(refreshing.map((each) => each.stop()))).flat();
  expect(answers.filter(isRefreshed).length).toBeGreaterThan(busy.length);
  expect(answers.filter((answer) => !isRefreshed(answer) && !isBusy(answer))).toEqual([]);

  for (const host of [...refreshers, worker]) await host.kill();
  await disableVaultKey(world.vault.origin, oldKey);
  const reader = await world.startHost();
  const limit = pLimit(16);
  await Promise.all(grants.map((grant) => limit(() => expectOpens(reader, grant))));
  await expectAlive(reader, busy);
  expectSingleUse(grants);
});

const isRefreshed = (answer: Answer | undefined): boolean =>
  answer?.status === 200 && typeof answer.json.refreshed === 'boolean';
const isBusy = (answer: Answer | undefined): boolean => answer?.json?.error === 'refresh_in_progress';
/** The worker refreshes nothing: it seals rows anew and notes how far it is. */
const isWorkOfJob: Match = ({ method, path, body }) =>
  method === 'PATCH' &&
  (body.includes('"sealed_0"') || /\/OAuthJobs\(PartitionKey='rekey'/.test(decodeURIComponent(path)));

/** Starts a job, and kills the process that works on it at one of its writes, again and again. */
async function killWorkers(world: World, { proxy, environment }: TablesView) {
  let worker = await world.startHost(environment);
  let jobId: string | undefined;
  for (let kill = 0; kill < load.kills; kill += 1) {
    const hold = proxy.hold(nth(isWorkOfJob, world.random.between(1, mostWritesOfOne)), {
      at: world.random.pick(['request', 'answer']),
      times: 1,
    });
    jobId = await setOff(world, worker, jobId);
    await hold.waiting();
    await worker.kill();
    hold.abandon();
    worker = await world.startHost(environment);
  }
  jobId = await setOff(world, worker, jobId);
  return { worker, jobId };
}

/** Begins the job; one that was cut off is taken up by whoever asks again, and by the sweep. */
async function setOff(world: World, worker: ChaosHost, jobId: string | undefined): Promise<string> {
  if (jobId !== undefined && world.random.fraction() < 0.5) {
    expect(await rekeyStatus(worker, jobId)).toMatchObject({ state: 'running', old_key_in_use: true });
    await worker.trigger('refreshSweep');
    return jobId;
  }
  const begun = await worker.call('POST', '/api/oauth/rekey', { org: 'GLOBAL', body: {} });
  expect(begun, begun.text).toMatchObject({ status: 202 });
  if (jobId !== undefined) expect(begun.json.job_id, 'it goes on where it was').toBe(jobId);
  return begun.json.job_id;
}

async function repeatedUntilClean(worker: ChaosHost): Promise<Record<string, unknown>> {
  for (let repeats = 0; repeats < 3; repeats += 1) {
    const begun = await worker.call('POST', '/api/oauth/rekey', { org: 'GLOBAL', body: {} });
    const job = await finishedRekey(worker, begun.json.job_id);
    if (job.sealed_anew === 0) return job;
  }
  throw new Error('each job finds rows that the old key has sealed');
}

interface Refreshing {
  /** Resolves when a refresh that begins from now on has ended. */
  turn(): Promise<void>;
  /** Resolves to all answers, the last one undefined where the host went away. */
  stop(): Promise<(Answer | undefined)[]>;
}

function startRefreshing(world: World, host: ChaosHost, grants: readonly ChaosGrant[]): Refreshing {
  const answers: (Answer | undefined)[] = [];
  let isStopped = false;
  const loop = async (): Promise<void> => {
    while (!isStopped) {
      const answer = await refresh(host, world.random.pick(grants));
      answers.push(answer);
      if (answer === undefined) return;
      // The job and the hosts that start need the processor too.
      await delay(pauseMs);
    }
  };
  const ended = Promise.all([loop(), loop()]);
  return {
    turn: async () => {
      const wanted = answers.length + 6;
      await vi.waitUntil(() => answers.length >= wanted, { timeout: 30_000, interval: 20 });
    },
    stop: async () => {
      isStopped = true;
      await ended;
      return answers;
    },
  };
}

/** The row opens: its token is the one that was imported, or one that was issued to the same account since. */
async function expectOpens(host: ChaosHost, grant: ChaosGrant): Promise<void> {
  const answer = await credentials(host, grant);
  expect(answer, `${grant.account}: ${answer.text}`).toMatchObject({ status: 200 });
  const { access_token: token } = answer.json;
  const { ledger } = grant.provider;
  const isImported = ledger.callsOf(grant.account).length === 0;
  if (isImported) expect(token).toBe(`imported-${grant.account}`);
  else expect(ledger.ownerOf(token), grant.account).toBe(grant.account);
}

async function currentKey({ vault }: World): Promise<{ readonly id: string; readonly version: string }> {
  const headers = { authorization: 'Bearer test' };
  const answer = await fetch(`${vault.origin}/secrets/oauth-token-encryption-key?api-version=7.6`, { headers });
  const { id } = (await answer.json()) as { readonly id: string };
  return { id, version: new URL(id).pathname.split('/').at(-1) ?? '' };
}
