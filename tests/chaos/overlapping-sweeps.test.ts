import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { expectAlive, expectSingleUse, seqsOf } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { dueAccounts, importMany, makeDue, quietSchedule } from './support/due.ts';
import type { ChaosGrant } from './support/grants.ts';
import { finishedJob, jobIds, sweep } from './support/jobs.ts';
import { hostAfterLeases } from './support/leases.ts';
import { watchQueueTime } from './support/queue.ts';
import type { RecordingProxy } from './support/recording-proxy.ts';
import { isClaim, isCommit, isRefresh } from './support/requests.ts';
import { size, sized } from './support/size.ts';
import { openTablesView, withQueueProxy } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

/** I7 in full asks for 2,000 grants and sweeps at 0, 0.5 and 3 s. Few grants are done in less. */
const load = sized({
  short: { grants: 24, sweepsAtMs: [0, 0, 250], provider: { leastMs: 200, mostMs: 600 } },
  full: { grants: 300, sweepsAtMs: [0, 500, 3000], provider: { leastMs: 500, mostMs: 1500 } },
  long: { grants: 2000, sweepsAtMs: [0, 500, 3000], provider: { leastMs: 500, mostMs: 1500 } },
});
const killedAtShare = 0.3;
const sampled = 6;

const getWorld = useWorld({ providers: ['strict', 'overlap'], environment: quietSchedule() });

it('three sweeps that overlap refresh each due grant exactly once, though a process is killed among them', async () => {
  const world = getWorld();
  const queueTime = watchQueueTime(world);
  const watched = await Promise.all([1, 2, 3].map((index) => startWatched(world, index)));
  const hosts = watched.map(({ host }) => host);
  const grants = world.random.shuffled(await importAll(world, hosts));
  await makeDue(world, grants);
  const before = await seqsOf(world, grants);
  for (const { proxy } of world.providers()) proxy.on(isRefresh, { kind: 'delay', ...load.provider });

  let alive = hosts;
  const sweeps = Promise.all(
    load.sweepsAtMs.map(async (atMs, index) => {
      await delay(atMs);
      await alive[index % alive.length]?.trigger('refreshSweep');
    }),
  );
  await refreshesAnswered(world, killedAtShare * grants.length);
  const victim = await holdingOne(watched);
  alive = hosts.filter((host) => host !== victim);
  const survivors = alive as [ChaosHost, ChaosHost];
  await victim.kill();
  const killedAt = Date.now();
  await sweeps;
  // When its job has ended, the survivors have met every grant that was left.
  await finishedJob(survivors[0], await sweep(world, survivors[0]), 60_000);

  const held = await leftBehind(world, grants, before);
  expect(held.length, 'it was killed amid refreshes').toBeGreaterThan(0);
  const done = grants.filter((grant) => !held.includes(grant));
  expectRefreshedOnce(done);
  expect(await seqsOf(world, done)).toEqual(done.map((grant) => (before[grants.indexOf(grant)] ?? 0) + 1));
  const due = await dueAccounts(world);
  for (const { account } of held) expect(due, 'what it held is still to be done').toContain(account);
  world.history.note('test', 'left behind', { accounts: held.map(({ account }) => account) });

  world.calm();
  if (size === 'short') await queueTime.returnTaken();
  await takenUp(world, held, () => hostAfterLeases(world, survivors[0], killedAt));
  for (const id of await jobIds(world)) {
    const job = await finishedJob(survivors[1], id);
    expect(job.refreshed + job.skipped + job.failed, 'each is visited').toBe(job.due);
  }
  // Where the old refresh token stays good, what the killed process had asked for is rightly asked for again.
  expectSingleUse(grants.filter((grant) => grant.provider.kind === 'strict' || !held.includes(grant)));
  await expectAlive(survivors[1], world.random.shuffled(done).slice(0, sampled));
});

/** A host whose way to the tables is its own, so that it is known what it holds. */
interface Watched {
  readonly host: ChaosHost;
  readonly tables: RecordingProxy;
  /** The rows it has claimed and not yet begun to commit. */
  readonly open: ReadonlySet<string>;
}

async function startWatched(world: World, index: number): Promise<Watched> {
  const { proxy, environment } = withQueueProxy(world, await openTablesView(world, { name: `tables-of-${index}` }));
  const open = new Set<string>();
  proxy.observe({
    received: (request) => {
      if (isCommit(request)) open.delete(request.path);
    },
    answered: (request, { status }) => {
      if (isClaim(request) && status < 300) open.add(request.path);
    },
  });
  return { host: await world.startHost(environment), tables: proxy, open };
}

/** Resolves to a host that holds leases, once none of its commits is let through any more. */
async function holdingOne(watched: readonly Watched[]): Promise<ChaosHost> {
  const { host, tables } = await vi.waitUntil(() => watched.find(({ open }) => open.size > 0), {
    timeout: 20_000,
    interval: 1,
  });
  tables.hold(isCommit, { at: 'request' });
  return host;
}

async function importAll(world: World, hosts: readonly ChaosHost[]): Promise<ChaosGrant[]> {
  const providers = world.providers();
  const count = load.grants / providers.length;
  const imports = providers.map((provider) => importMany(world, hosts, { prefix: provider.kind, count, provider }));
  return (await Promise.all(imports)).flat();
}

function refreshesAnswered(world: World, count: number): Promise<unknown> {
  const answered = () => world.providers().flatMap(({ ledger }) => ledger.calls.filter(({ status }) => status === 200));
  return vi.waitUntil(() => answered().length >= count, { timeout: 60_000, interval: 5 });
}

/** Waits until the survivors hold nothing. Resolves to what has not been refreshed: the killed process holds it. */
async function leftBehind(world: World, grants: readonly ChaosGrant[], before: readonly number[]) {
  let last: string | undefined;
  return vi.waitUntil(
    async () => {
      const rows = await Promise.all(grants.map((grant) => world.grants.row(grant)));
      const left = grants.filter((_, index) => Number(rows[index]?.seq) === before[index]);
      const owners = left.map((grant) => rows[grants.indexOf(grant)]?.lease_owner);
      const isAnswered = world.providers().every(({ ledger }) => ledger.calls.every(({ endedAt }) => endedAt !== null));
      const isAtRest = isAnswered && !owners.includes('') && owners.join() === last;
      last = owners.join();
      return isAtRest ? left : undefined;
    },
    { timeout: 60_000, interval: 400 },
  );
}

function expectRefreshedOnce(grants: readonly ChaosGrant[]): void {
  const statuses = ({ provider, account }: ChaosGrant) => provider.ledger.callsOf(account).map(({ status }) => status);
  expect(grants.filter((grant) => statuses(grant).join() !== '200').map(({ account }) => account)).toEqual([]);
}

/**
 * Sweeps until nothing is due. What the killed process held is asked for once more; where its tokens were already
 * issued and were good once, that one grant is lost, and says so.
 */
async function takenUp(world: World, held: readonly ChaosGrant[], hostThen: () => Promise<ChaosHost>): Promise<void> {
  const callsOf = ({ provider, account }: ChaosGrant) => provider.ledger.callsOf(account);
  const isSpent = (grant: ChaosGrant) => grant.provider.kind === 'strict' && callsOf(grant).length > 0;
  const spent = new Set(held.filter(isSpent));
  const asked = held.map((grant) => callsOf(grant).length);
  const before = await seqsOf(world, held);
  const host = await hostThen();
  const swept = async () => {
    await finishedJob(host, await sweep(world, host));
    expect(await dueAccounts(world)).toEqual([]);
  };
  await vi.waitFor(swept, { timeout: 40_000, interval: 200 });

  for (const [index, grant] of held.entries()) {
    const row = await world.grants.row(grant);
    expect(callsOf(grant).length, `${grant.account}: asked once more`).toBe((asked[index] ?? 0) + 1);
    if (spent.has(grant)) expect(row).toMatchObject({ status: 'failed', status_reason: 'crash_outcome_unknown' });
    else expect(Number(row?.seq), grant.account).toBe((before[index] ?? 0) + 1);
  }
}
