import { beforeAll, expect, it, vi } from 'vitest';
import { expectServed } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { quietSchedule } from './support/due.ts';
import { type Entry, entriesIn, entryOf, expectConverged, reconcile } from './support/due-index.ts';
import { type ChaosGrant, credentials, refresh } from './support/grants.ts';
import { sweep } from './support/jobs.ts';
import { outcomeTable } from './support/outcome-table.ts';
import { providerClasses } from './support/provider.ts';
import { type RefreshPoint, refreshPoints, stopAt } from './support/refresh-points.ts';
import { sized } from './support/size.ts';
import { laterDayMs, startLater } from './support/tables-view.ts';
import { useWorld, type World } from './support/world.ts';

const trials = sized({ short: 1, full: 6, long: 20 });

const indexPoints = refreshPoints.filter(({ where }) => where === 'index');

const getWorld = useWorld({ providers: providerClasses, environment: quietSchedule() });
let survivor: ChaosHost;

/** A round has ended just now: none begins by the clock of the hosts that live today. */
beforeAll(async () => {
  survivor = await getWorld().startHost();
  await reconcile(getWorld(), survivor);
});

interface Killed {
  readonly point: RefreshPoint;
  readonly grant: ChaosGrant;
  readonly newest: string | undefined;
}

/** Brings refreshes of every class to each of the points, all in one process, and kills it. */
async function killAtPoints(world: World, prefix: string): Promise<Killed[]> {
  const victim = await world.startHost();
  const count = trials * providerClasses.length;
  const all: { readonly point: RefreshPoint; readonly grant: ChaosGrant }[] = [];
  for (const point of indexPoints) {
    const grants = await world.grants.connectMany(survivor, `${prefix}-${point.name}`, count, world.providers());
    all.push(...grants.map((grant) => ({ point, grant })));
  }
  const stopped = indexPoints.map((point) =>
    stopAt(
      world,
      point,
      all.filter((each) => each.point === point).map(({ grant }) => grant),
    ),
  );
  const answers = Promise.all(all.map(({ grant }) => refresh(victim, grant)));
  await Promise.all(stopped.map((each) => each.reached()));
  await victim.kill();
  for (const each of stopped) each.abandon();
  expect(await answers).toEqual(Array(all.length).fill(undefined));
  return all.map(({ point, grant }) => ({ point, grant, newest: grant.provider.ledger.newestOf(grant.account) }));
}

/** At K6 only the old entry is there, at K7 both are. */
async function expectBehind(world: World, { point, grant }: Killed): Promise<void> {
  const row = await world.grants.row(grant);
  const right = entryOf(grant, Number(row?.due_at));
  const found = (await entriesIn(world)).filter((entry) => entry.grant === right.grant);
  const isRight = (entry: Entry) => entry.place === right.place;
  expect(found.map(isRight).toSorted(), point.name).toEqual(point.name === 'K6' ? [false] : [false, true]);
}

/** What became of each grant after a sweep: `kept` where it submitted the newest refresh token, once, with success. */
function outcomesOf(killed: readonly Killed[], callsBefore: number): Record<string, Record<string, string>> {
  const outcomeOf = ({ grant, newest }: Killed): string => {
    const calls = grant.provider.ledger.callsOf(grant.account).slice(callsBefore);
    if (calls.length === 0) return 'not found';
    return calls.length === 1 && calls[0]?.status === 200 && calls[0].tokenHash === newest ? 'kept' : 'lost';
  };
  return outcomeTable(
    killed.map((each) => ({
      point: `${each.point.name} ${each.point.what}`,
      kind: each.grant.provider.kind,
      outcome: outcomeOf(each),
    })),
  );
}

const allKept = Object.fromEntries(
  indexPoints.map(({ name, what }) => [
    `${name} ${what}`,
    Object.fromEntries(providerClasses.map((kind) => [kind, `${trials} kept`])),
  ]),
);

async function expectSweepFinds(world: World, later: ChaosHost, killed: readonly Killed[]): Promise<void> {
  const refreshed = () =>
    Math.min(...killed.map(({ grant }) => grant.provider.ledger.callsOf(grant.account).filter(isDone).length));
  await sweep(world, later);
  await vi.waitUntil(() => refreshed() > 2, { timeout: 15_000, interval: 50 }).catch(() => {});
  const outcomes = outcomesOf(killed, 2);
  console.table(outcomes);
  expect(outcomes).toEqual(allKept);
  await vi.waitFor(() => expectConverged(world), { timeout: 10_000, interval: 100 });
  for (const { grant } of killed) await expectServed(grant, await credentials(later, grant));
}

const isDone = ({ endedAt }: { readonly endedAt: number | null }): boolean => endedAt !== null;

it('K6, K7: an index that a killed host left behind is right again after the reconcile, and the sweep finds each grant', async () => {
  const world = getWorld();
  const killed = await killAtPoints(world, 'reconciled');
  for (const each of killed) await expectBehind(world, each);
  const later = await startLater(world, laterDayMs);
  await reconcile(world, later);
  await expectConverged(world);
  await expectSweepFinds(world, later, killed);
  await later.kill();
});

it('K6, K7: without a reconcile, the entry that was left behind leads the sweep to the grant', async () => {
  const world = getWorld();
  const killed = await killAtPoints(world, 'swept');
  const later = await startLater(world, 2 * laterDayMs);
  await expectSweepFinds(world, later, killed);
  await later.kill();
});
