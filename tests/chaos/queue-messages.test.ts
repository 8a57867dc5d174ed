import { beforeAll, expect, it, vi } from 'vitest';
import { expectAlive, expectCalls, expectSingleUse, resetLedgers, seqsOf } from './support/audit.ts';
import { type ChaosHost, logOf } from './support/chaos-host.ts';
import { dueAccounts, importMany, makeDue, quietSchedule } from './support/due.ts';
import type { ChaosGrant } from './support/grants.ts';
import { finishedJob, type Job, sweep } from './support/jobs.ts';
import { outcomeTable, type PointOutcome } from './support/outcome-table.ts';
import { providerClasses } from './support/provider.ts';
import {
  emptied,
  encode,
  isDelete,
  isParked,
  isParkedTake,
  isPut,
  noMessages,
  openQueue,
  type QueueTime,
  textOf,
  watchQueueTime,
} from './support/queue.ts';
import { concerns, isRefresh } from './support/requests.ts';
import { size, sized } from './support/size.ts';
import { useWorld, type World } from './support/world.ts';

/** More than 16 grants of one provider make more than one message. `others`: of each of the other providers. */
const load = sized({
  short: { grants: 20, others: 3, rounds: 1, kills: 1 },
  full: { grants: 40, others: 20, rounds: 3, kills: 1 },
  long: { grants: 320, others: 40, rounds: 20, kills: 10 },
});

/** Messages that a host works on at once: host.json's `batchSize`. */
const takenAtOnce = 8;

const getWorld = useWorld({ providers: providerClasses, environment: quietSchedule() });
let hosts: ChaosHost[];
let grants: ChaosGrant[];
let queueTime: QueueTime;
/** What hosts have put on the queue of refreshes since the test began, as it travels, and what they have given up. */
let puts: string[] = [];
let parked: string[] = [];

beforeAll(async () => {
  const world = getWorld();
  queueTime = watchQueueTime(world);
  world.queue.observe({
    received(request) {
      if (isPut(request)) puts.push(textOf(request));
      if (isParked(request)) parked.push(textOf(request));
    },
  });
  hosts = await world.startHosts(2);
  const imports = world.providers().map((provider) => {
    const count = provider.kind === 'strict' ? load.grants : load.others;
    return importMany(world, hosts, { prefix: `queued-${provider.kind}`, count, provider });
  });
  grants = (await Promise.all(imports)).flat();
});

/** All grants are due, nothing has been asked, and every token request takes a little. */
async function begin(world: World): Promise<{ readonly before: readonly number[] }> {
  resetLedgers(world);
  [puts, parked] = [[], []];
  await makeDue(world, grants);
  for (const { proxy } of world.providers()) proxy.on(isRefresh, { kind: 'delay', leastMs: 20, mostMs: 120 });
  return { before: await seqsOf(world, grants) };
}

async function expectOnceEach(world: World, before: readonly number[]): Promise<void> {
  expect(await seqsOf(world, grants)).toEqual(before.map((seq) => seq + 1));
  expectCalls(grants, 1);
  expectSingleUse(grants);
  expect(await dueAccounts(world)).toEqual([]);
}

/** What was delivered last is what counts, and a message that came again finds nothing to do: so both are right. */
function expectAllVisited({ due, refreshed, skipped, failed }: Job): void {
  expect({ due, worked: refreshed + skipped, failed }).toEqual({
    due: grants.length,
    worked: grants.length,
    failed: 0,
  });
}

it('a message that is delivered three times, out of order, is harmless', async () => {
  const world = getWorld();
  for (let round = 0; round < load.rounds; round += 1) {
    const { before } = await begin(world);
    const queue = openQueue(world);
    const id = await sweep(world, world.random.pick(hosts));
    await allPut();
    for (const text of world.random.shuffled([...puts, ...puts])) await queue.sendMessage(text);
    await emptied(world);
    expectAllVisited(await finishedJob(world.random.pick(hosts), id));
    await expectOnceEach(world, before);

    for (const text of world.random.shuffled(puts)) await queue.sendMessage(text);
    await emptied(world);
    expectAllVisited(await finishedJob(world.random.pick(hosts), id));
    await expectOnceEach(world, before);
    world.calm();
  }
});

it('a host that is killed before the message is deleted (K9) costs nothing: another gets it and finds it done', async () => {
  const world = getWorld();
  const outcomes: PointOutcome[] = [];
  for (let kill = 0; kill < load.kills; kill += 1) {
    const { before } = await begin(world);
    const [victim, survivor] = hosts as [ChaosHost, ChaosHost];
    survivor.freeze();
    const deletions = world.queue.hold(isDelete, { at: 'request' });
    const id = await sweep(world, victim);
    await allPut();
    await deletions.waiting(Math.min(puts.length, takenAtOnce));
    await victim.kill();
    deletions.abandon();
    world.calm();
    expect((await openQueue(world).getProperties()).approximateMessagesCount).toBe(puts.length);
    expect(grants.flatMap(({ account, provider }) => provider.ledger.callsOf(account)).length).toBeGreaterThan(0);
    survivor.thaw();
    if (size === 'short') expect(await queueTime.returnTaken()).toBeGreaterThan(0);
    await emptied(world);
    expectAllVisited(await finishedJob(survivor, id));
    outcomes.push(...(await outcomesOf(world, before)));
    await expectOnceEach(world, before);
    await expectAlive(survivor, ofEachClass(world));
    hosts = kill + 1 < load.kills ? [await world.startHost(), survivor] : [survivor];
  }
  console.table(outcomeTable(outcomes));
});

/** Kept: it was refreshed once, and what it got is in its row. */
async function outcomesOf(world: World, before: readonly number[]): Promise<PointOutcome[]> {
  const seqs = await seqsOf(world, grants);
  return grants.map(({ account, provider: { kind, ledger } }, index) => {
    const isKept = ledger.callsOf(account).length === 1 && seqs[index] === (before[index] ?? 0) + 1;
    return { point: 'K9 before the message is deleted', kind, outcome: isKept ? 'kept' : 'lost' };
  });
}

/** One of each class of providers. */
function ofEachClass({ random }: World): ChaosGrant[] {
  return providerClasses.map((kind) => random.pick(grants.filter(({ provider }) => provider.kind === kind)));
}

it('messages that are no batches are parked and reported, and hold up no batch', async () => {
  const world = getWorld();
  const { before } = await begin(world);
  queueTime.hurry();
  const queue = openQueue(world);
  const garbage = ['not base64!', encode('not JSON {'), encode({ hello: 'world' }), encode(nobodysBatch), encode('')];
  for (const text of garbage) await queue.sendMessage(text);
  const id = await sweep(world, world.random.pick(hosts));
  expectAllVisited(await finishedJob(world.random.pick(hosts), id));
  await expectOnceEach(world, before);
  const reported = async () => (await logs()).match(/"job_id":null[^\n]*"refresh_batch_poisoned"/g);
  await vi.waitFor(async () => expect(await reported()).toHaveLength(garbage.length), {
    timeout: 30_000,
    interval: 100,
  });
  expect(parked.toSorted()).toEqual(garbage.toSorted());
  await emptied(world);
});

it('a batch that is given up is reported with its job, and the next sweep refreshes its grants', async () => {
  const world = getWorld();
  const { before } = await begin(world);
  queueTime.hurry();
  const rows = concerns(grants.map(({ connection }) => connection));
  const isBatchRow = ({ path }: { readonly path: string }) => /OAuthJobs\(.*%7Cb\d{6}|OAuthJobs\(.*\|b\d{6}/.test(path);
  const rules = [rows, isBatchRow].map((matches) => world.tables.on(matches, { kind: 'answer', status: 403 }));
  // Nobody looks at what was given up before that can be noted again.
  const unseen = world.queue.on(isParkedTake, noMessages);
  const id = await sweep(world, world.random.pick(hosts));
  await allPut();
  await vi.waitFor(() => expect(parked).toHaveLength(puts.length), { timeout: 60_000, interval: 50 });
  for (const rule of [...rules, unseen]) rule.stop();
  for (const rule of rules) expect(rule.hits()).toBeGreaterThan(0);

  const given = await finishedJob(world.random.pick(hosts), id);
  expect(given).toMatchObject({ due: grants.length, refreshed: 0, failed: grants.length });
  expect((await logs()).match(new RegExp(`"job_id":"${id}"[^\\n]*"refresh_batch_poisoned"`, 'g'))).toHaveLength(
    puts.length,
  );
  expect(parked.toSorted()).toEqual(puts.toSorted());
  expect(grants.flatMap(({ account, provider }) => provider.ledger.callsOf(account))).toEqual([]);
  expect(new Set(await dueAccounts(world))).toEqual(new Set(grants.map(({ account }) => account)));
  const next = await sweep(world, world.random.pick(hosts));
  expectAllVisited(await finishedJob(world.random.pick(hosts), next));
  await expectOnceEach(world, before);
  await expectAlive(world.random.pick(hosts), ofEachClass(world));
});

/** A batch of the right form whose only grant has no organisation. */
const nobodysBatch = {
  kind: 'refresh',
  job_id: '8204738491440-00000000000000000000000000000000',
  batch: 0,
  trigger: 'automatic',
  started_at: 0,
  grants: [{ connection_org: '', org: '', connection: '', user_id: null, at: null }],
};

/** Resolves when the sweep has put every grant on the queue. */
function allPut(): Promise<void> {
  return vi.waitFor(() => expect(grantsIn(puts)).toBe(grants.length), { timeout: 10_000, interval: 5 });
}

function grantsIn(texts: readonly string[]): number {
  const batches = texts.map((text) => JSON.parse(Buffer.from(text, 'base64').toString()));
  return batches.reduce((sum: number, batch) => sum + batch.grants.length, 0);
}

async function logs(): Promise<string> {
  return (await Promise.all(hosts.map(logOf))).join('');
}
