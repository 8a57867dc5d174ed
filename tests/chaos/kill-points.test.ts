import { expect, it } from 'vitest';
import type { Answer } from '../support/running-hosts.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, credentials, refresh } from './support/grants.ts';
import { hostAfterLeases } from './support/leases.ts';
import { outcomeTable } from './support/outcome-table.ts';
import { providerClasses } from './support/provider.ts';
import { type RefreshPoint, refreshPoints, stopAt } from './support/refresh-points.ts';
import { sized } from './support/size.ts';
import { useWorld, type World } from './support/world.ts';

/** Only there has the provider changed something that the broker has not written. */
const lossy = ['K3', 'K4'];

const trials = sized({ short: 1, full: 4, long: 10 });

const getWorld = useWorld({ providers: providerClasses });

interface Trial {
  readonly point: RefreshPoint;
  readonly grant: ChaosGrant;
}

type Outcome = 'kept' | 'lost, flagged' | 'lost, not flagged' | 'wrong token';

it('a host that is killed at any point costs at most the one rotation in flight, and that is flagged', async () => {
  const world = getWorld();
  const survivor = await world.startHost();
  const killed: Trial[] = [];
  for (const point of refreshPoints) killed.push(...(await killAt(world, survivor, point)));
  const lastKillAt = Date.now();

  for (const { grant } of killed) {
    const answer = await credentials(survivor, grant);
    expect(answer.status, `${grant.account}: the old token lives and is served`).toBe(200);
    expect(grant.provider.ledger.ownerOf(answer.json.access_token)).toBe(grant.account);
  }
  const taker = await hostAfterLeases(world, survivor, lastKillAt);

  const outcomes: { readonly trial: Trial; readonly outcome: Outcome }[] = [];
  for (const trial of world.random.shuffled(killed)) {
    const answer = await refresh(taker, trial.grant);
    outcomes.push({ trial, outcome: await outcomeOf(taker, trial.grant, answer) });
  }
  const asRow = ({ trial, outcome }: (typeof outcomes)[number]) => ({
    point: `${trial.point.name} ${trial.point.what}`,
    kind: trial.grant.provider.kind,
    outcome,
  });
  const inOrder = outcomes.toSorted((one, other) => one.trial.point.name.localeCompare(other.trial.point.name));
  console.table(outcomeTable(inOrder.map(asRow)));
  for (const { trial, outcome } of outcomes) {
    const isLossAllowed = lossy.includes(trial.point.name) && trial.grant.provider.kind === 'strict';
    expect(outcome, `${trial.point.name} ${trial.grant.provider.kind}`).toBe(isLossAllowed ? 'lost, flagged' : 'kept');
  }
});

/** Brings refreshes of every class to one point in a process of their own, and kills it. */
async function killAt(world: World, survivor: ChaosHost, point: RefreshPoint): Promise<Trial[]> {
  const victim = await world.startHost();
  const count = trials * providerClasses.length;
  const grants = await world.grants.connectMany(survivor, point.name, count, world.providers());
  const stopped = stopAt(world, point, grants);
  const answers = Promise.all(grants.map((grant) => refresh(victim, grant)));
  await stopped.reached();
  await victim.kill();
  stopped.abandon();
  expect(await answers, 'nobody was told of a refresh that was not written').toEqual(Array(count).fill(undefined));
  return grants.map((grant) => ({ point, grant }));
}

async function outcomeOf(host: ChaosHost, grant: ChaosGrant, refreshed: Answer | undefined): Promise<Outcome> {
  const { ledger, server } = grant.provider;
  const served = await credentials(host, grant);
  if (served.status === 200) {
    const isOurs = ledger.ownerOf(served.json.access_token) === grant.account;
    const isNewest = ledger.callsOf(grant.account).at(-1)?.nextHash === ledger.newestOf(grant.account);
    const isAlive = await server.isActive(served.json.access_token);
    return refreshed?.status === 200 && isOurs && isNewest && isAlive ? 'kept' : 'wrong token';
  }
  const isFlagged =
    served.json.error === 'connection_not_ready' && served.json.status_reason === 'crash_outcome_unknown';
  return isFlagged ? 'lost, flagged' : 'lost, not flagged';
}
