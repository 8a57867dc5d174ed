import { expect, it, vi } from 'vitest';
import { expectServed } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { halfHourlySchedule, makeDue } from './support/due.ts';
import { expectConverged } from './support/due-index.ts';
import { type ChaosGrant, credentials } from './support/grants.ts';
import { finishedJob, sweep } from './support/jobs.ts';
import { outcomeTable } from './support/outcome-table.ts';
import { providerClasses } from './support/provider.ts';
import { openQueue } from './support/queue.ts';
import { type RefreshPoint, refreshPoints, stopAt, submits } from './support/refresh-points.ts';
import { both, isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { pastQueueProxy, startLater } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

/** Of each provider class at each point. All must stand there before the first one's request times out: so few at once. */
const rounds = sized({ short: 1, full: 2, long: 10 });

const minuteMs = 60_000;
const lifeMs = 120 * minuteMs;
/** A sweep's interval and its margin: the token's last chance is so long before its end. */
const lastSweepMs = 35 * minuteMs;
/** Longer than a lease, and than the first backoff of a failure. */
const soonMs = 3 * minuteMs;
/** When the last chance of every token has come, and none has lapsed. */
const atLastMs = lifeMs - lastSweepMs + 5 * minuteMs;
/** How far two processes' sight of one moment may lie apart. */
const apartMs = 5000;

const points = refreshPoints.filter(({ name }) => name !== 'K0');
/** The new tokens were written. */
const written = ['K5', 'K6', 'K7'];
/** The provider has rotated, and the new tokens are nowhere. */
const lossy = ['K3', 'K4', 'lost'];

const getWorld = useWorld({
  providers: providerClasses,
  accessTokenLifeSeconds: lifeMs / 1000,
  environment: halfHourlySchedule(),
});

/** A point at which the process was killed, or `lost`: it got no reply, and had written so. */
interface Interruption {
  readonly name: RefreshPoint['name'] | 'lost';
  readonly what: string;
}

interface Interrupted {
  readonly by: Interruption;
  readonly grant: ChaosGrant;
}

type Outcome = 'kept' | 'lost, flagged' | 'lost, not flagged' | 'not asked once';

const lostReply: Interruption = { name: 'lost', what: 'the provider’s reply is lost' };
const interruptions: readonly Interruption[] = [...points, lostReply];

it('K1 to K7, and a lost reply: the next sweep submits nothing that may be spent while its token lives', async () => {
  const world = getWorld();
  for (let round = 0; round < rounds; round += 1) {
    const interrupted = await interruptSweep(world, `swept-${round}`);
    const before = callsOf(interrupted);
    await sweepLater(world, soonMs, async (soon) => {
      expect(callsOf(interrupted), 'the provider is not asked again').toEqual(before);
      for (const each of interrupted) await expectWaits(world, each);
      await expectConverged(world);
      for (const { grant } of interrupted) {
        expect(await credentials(soon, grant), grant.account).toMatchObject({ status: 200 });
      }
    });
    await expectSavedAtLast(world, interrupted);
  }
});

/** Brings a sweep's refreshes of every class to each of the points, all in one process, and kills it. */
async function interruptSweep(world: World, prefix: string): Promise<Interrupted[]> {
  const victim = await world.startHost(pastQueueProxy(world));
  const connected = interruptions.map(async (by): Promise<Interrupted[]> => {
    const grants = await world.grants.connectMany(
      victim,
      `${prefix}-${by.name}`,
      providerClasses.length,
      world.providers(),
    );
    return grants.map((grant) => ({ by, grant }));
  });
  const all = (await Promise.all(connected)).flat();
  await makeDue(
    world,
    all.map(({ grant }) => grant),
  );
  const stopped = points.map((point) => stopAt(world, point, at(all, point)));
  const unanswered = at(all, lostReply);
  for (const { proxy } of world.providers()) proxy.on(both(isRefresh, submits(unanswered)), { kind: 'lose-reply' });
  await sweep(world, victim);
  await Promise.all(stopped.map((each) => each.reached()));
  await vi.waitFor(() => expectFailureNoted(world, unanswered), { timeout: 5000, interval: 20 });
  await victim.kill();
  for (const each of stopped) each.abandon();
  world.calm();
  // What the queue gives out again finds the leases in its way: the sweep is what is tried here.
  await openQueue(world).clearMessages();
  return all;
}

async function expectFailureNoted(world: World, grants: readonly ChaosGrant[]): Promise<void> {
  for (const grant of grants) {
    expect(await world.grants.row(grant), grant.account).toMatchObject({
      lease_owner: '',
      failure: expect.stringContaining('provider_'),
    });
  }
}

/** Sweeps where it is later, waits until the sweep is done, and ends that host afterwards. */
async function sweepLater(world: World, laterMs: number, check: (host: ChaosHost) => Promise<void>): Promise<void> {
  const host = await startLater(world, laterMs);
  await finishedJob(host, await sweep(world, host));
  await check(host);
  await host.kill();
}

/** What may be spent waits for the token's last chance. */
async function expectWaits(world: World, { by, grant }: Interrupted): Promise<void> {
  if (written.includes(by.name)) return;
  const row = await world.grants.row(grant);
  const lastChance = Number(row?.expires_at) - lastSweepMs;
  expect(Math.abs(Number(row?.due_at) - lastChance), `${by.name} ${grant.account}`).toBeLessThan(apartMs);
}

/** Sweeps when the last chance has come, and expects each grant to be saved that can be. */
async function expectSavedAtLast(world: World, interrupted: readonly Interrupted[]): Promise<void> {
  const before = callsOf(interrupted);
  await sweepLater(world, atLastMs, async (host) => {
    const outcomes = await Promise.all(interrupted.map((each, index) => outcomeOf(world, each, before[index] ?? 0)));
    const rows = interrupted.map(({ by, grant }, index) => ({
      point: `${by.name} ${by.what}`,
      kind: grant.provider.kind,
      outcome: outcomes[index] ?? '',
    }));
    console.table(outcomeTable(rows));
    for (const [index, { by, grant }] of interrupted.entries()) {
      const isLossAllowed = lossy.includes(by.name) && grant.provider.kind === 'strict';
      expect(outcomes[index], `${by.name} ${grant.account}`).toBe(isLossAllowed ? 'lost, flagged' : 'kept');
      if (!isLossAllowed) await expectServed(grant, await credentials(host, grant));
    }
    await vi.waitFor(() => expectConverged(world), { timeout: 5000, interval: 100 });
  });
}

async function outcomeOf(world: World, { grant }: Interrupted, callsBefore: number): Promise<Outcome> {
  const { ledger } = grant.provider;
  const calls = ledger.callsOf(grant.account).slice(callsBefore);
  if (calls.length !== 1) return 'not asked once';
  const row = await world.grants.row(grant);
  if (calls[0]?.status === 200 && row?.status === 'completed') return 'kept';
  return row?.status_reason === 'crash_outcome_unknown' ? 'lost, flagged' : 'lost, not flagged';
}

function callsOf(interrupted: readonly Interrupted[]): number[] {
  return interrupted.map(({ grant }) => grant.provider.ledger.callsOf(grant.account).length);
}

function at(all: readonly Interrupted[], by: Interruption): ChaosGrant[] {
  return all.filter((each) => each.by === by).map(({ grant }) => grant);
}
