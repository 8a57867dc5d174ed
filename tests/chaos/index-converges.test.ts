import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, it, vi } from 'vitest';
import { expectSingleUse } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { quietSchedule } from './support/due.ts';
import {
  concernsEntryOf,
  type Entry,
  entriesIn,
  entriesWanted,
  expectConverged,
  openTable,
  putEntry,
  reconcile,
} from './support/due-index.ts';
import { type ChaosGrant, refresh } from './support/grants.ts';
import type { Hold } from './support/hold.ts';
import { providerClasses } from './support/provider.ts';
import type { Match } from './support/recording-proxy.ts';
import { concerns, nth } from './support/requests.ts';
import { sized } from './support/size.ts';
import { laterDayMs, openLater } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

const load = sized({
  short: { grants: 24, crashes: 2, share: 0.1 },
  full: { grants: 100, crashes: 6, share: 0.05 },
  long: { grants: 600, crashes: 40, share: 0.05 },
});
/** A claim, a commit, an entry in and an entry out. */
const writesOfRefresh = 4;
const pauseMs = 30;
const hourMs = 60 * 60 * 1000;

const getWorld = useWorld({ providers: providerClasses, environment: quietSchedule() });
let today: ChaosHost;

/** A round has ended just now: none begins by the clock of the hosts that live today. */
beforeAll(async () => {
  today = await getWorld().startHost();
  await reconcile(getWorld(), today);
});

it('index and rows agree after crashes, lost entries and orphans, once the reconcile has gone round', async () => {
  const world = getWorld();
  const grants = await world.grants.connectMany(today, 'indexed', load.grants, world.providers());
  const shuffled = world.random.shuffled(grants);
  const crashing = shuffled.slice(0, Math.floor(load.grants / 2));
  const others = shuffled.slice(crashing.length);

  const todays = refreshing(world, today, others);
  const each = Math.floor(crashing.length / load.crashes);
  for (let crash = 0; crash < load.crashes; crash += 1) {
    await crashAmidWrites(world, crashing.slice(crash * each, (crash + 1) * each));
  }
  expect(await todays.stop(), 'refreshes went on').toBeGreaterThan(0);
  expectSingleUse(others);
  const spoilt = await spoilIndex(world, grants);
  expect(await entriesIn(world)).not.toEqual(await entriesWanted(world));

  const later = await openLater(world, laterDayMs);
  const first = await later.startHost();
  // A rotation that is in flight when a host is killed may cost a strict grant: that is another test's matter.
  const spared = others.filter(({ provider }) => provider.kind !== 'strict');
  const laters = refreshing(world, first, spared);
  const hold = later.tables.hold(nth(isMending, world.random.between(2, spoilt)), { at: 'answer', times: 1 });
  await first.trigger('refreshReconcile');
  await hold.waiting();
  await first.kill();
  hold.abandon();
  await laters.stop();

  const second = await later.startHost();
  const again = refreshing(world, second, others);
  await reconcile(world, second);
  expect(await again.stop(), 'refreshes went on').toBeGreaterThan(0);
  await vi.waitFor(() => expectConverged(world), { timeout: 5000, interval: 100 });
  for (const grant of others) {
    const row = await world.grants.row(grant);
    expect(row, `${grant.account} is active, and so it is due some time`).toMatchObject({ status: 'completed' });
    expect(Number(row?.due_at)).toBeGreaterThan(0);
  }
});

const isWrite: Match = ({ method }) => method !== 'GET';
/** What the reconcile writes: entries, and how far it is. */
const isMending: Match = (request) =>
  isWrite(request) && /\/OAuth(RefreshDue|Jobs)\b/.test(decodeURIComponent(request.path));

/** Refreshes grants over and over, in no order. Resolves to how many were, once stopped. */
function refreshing(world: World, host: ChaosHost, grants: readonly ChaosGrant[]): { stop(): Promise<number> } {
  let isStopped = false;
  const loop = async (): Promise<number> => {
    let count = 0;
    while (!isStopped) {
      const answer = await refresh(host, world.random.pick(grants));
      if (answer === undefined) break;
      count += answer.status === 200 ? 1 : 0;
      // The hosts that start need the processor too.
      await delay(pauseMs);
    }
    return count;
  };
  const loops = [loop(), loop(), loop()];
  return {
    stop: async () => {
      isStopped = true;
      return (await Promise.all(loops)).reduce((sum, count) => sum + count, 0);
    },
  };
}

/** Refreshes grants in a process of their own, and kills it at one of their writes. */
async function crashAmidWrites(world: World, grants: readonly ChaosGrant[]): Promise<void> {
  const victim = await world.startHost();
  const isOfRow = concerns(grants.map(({ connection }) => connection));
  const isOfEntry = concernsEntryOf(grants);
  const isOurs: Match = (request) => isWrite(request) && (isOfRow(request) || isOfEntry(request));
  const count = world.random.between(1, grants.length * writesOfRefresh);
  const hold: Hold = world.tables.hold(nth(isOurs, count), { at: world.random.pick(['request', 'answer']), times: 1 });
  const answers = Promise.all(grants.map((grant) => refresh(victim, grant)));
  await Promise.race([hold.waiting(), answers]);
  await victim.kill();
  hold.abandon();
  await answers;
}

/** Deletes a share of the entries and adds as many that lead nowhere. Resolves to how many of each. */
async function spoilIndex(world: World, grants: readonly ChaosGrant[]): Promise<number> {
  const index = openTable(world, 'OAuthRefreshDue');
  const entries = world.random.shuffled(await entriesIn(world));
  const count = Math.max(3, Math.round(entries.length * load.share));
  for (const { place } of entries.slice(0, count)) await index.deleteEntity(...placeOf(place));
  for (let made = 0; made < count; made += 1) {
    const grant = orphan(world, grants, made);
    const at = Date.now() + world.random.between(-48 * hourMs, 48 * hourMs);
    await putEntry(world, grant, at);
  }
  world.history.note('test', 'spoilt', { count });
  return count;
}

/** By turns: of a connection that is not there, of a user who is not there, of a grant that is due at another time. */
function orphan(world: World, grants: readonly ChaosGrant[], made: number) {
  const grant = world.random.pick(grants);
  if (made % 3 === 0) return { ...grant, connection: `nothing-${made}` };
  return made % 3 === 1 ? { ...grant, userId: `nobody-${made}` } : grant;
}

function placeOf(place: Entry['place']): [string, string] {
  const [partitionKey = '', rowKey = ''] = place.split(' ');
  return [partitionKey, rowKey];
}
