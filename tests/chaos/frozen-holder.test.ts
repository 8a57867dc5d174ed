import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Answer } from '../support/running-hosts.ts';
import { expectAlive, expectServed, seqsOf } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, credentials, refresh } from './support/grants.ts';
import { hostAfterLeases } from './support/leases.ts';
import { providerClasses } from './support/provider.ts';
import { type RefreshPoint, refreshPoints, type StoppedRefreshes, stopAt } from './support/refresh-points.ts';
import { sized } from './support/size.ts';
import { useWorld, type World } from './support/world.ts';

/** Of each provider class at each point. */
const trials = sized({ short: 1, full: 3, long: 10 });
/** The holder sleeps for at least so long: I2 in full asks for twice a lease. */
const sleepsMs = sized({ short: 0, full: 0, long: 60_000 });

const getWorld = useWorld({ providers: providerClasses });

interface Frozen {
  readonly point: RefreshPoint;
  readonly holder: ChaosHost;
  readonly grants: readonly ChaosGrant[];
  readonly stopped: StoppedRefreshes;
  readonly answers: Promise<(Answer | undefined)[]>;
}

it('a holder that slept past its lease does not undo what others did meanwhile', async () => {
  const world = getWorld();
  const survivor = await world.startHost();
  const frozen: Frozen[] = [];
  for (const point of refreshPoints) frozen.push(await freezeAt(world, survivor, point));
  const frozenAt = Date.now();
  const taker = await hostAfterLeases(world, survivor, frozenAt);

  const grants = frozen.flatMap((each) => each.grants);
  await Promise.all(grants.map((grant) => refresh(taker, grant)));
  const before = await seqsOf(world, grants);
  await delay(Math.max(0, frozenAt + sleepsMs - Date.now()));
  for (const { point, holder, stopped } of frozen) {
    // A request that is on its way for longer than a lease is beyond anybody's power: it gets lost instead.
    if (point.name === 'K2') stopped.abandon();
    else stopped.release();
    holder.thaw();
  }
  for (const { answers } of frozen) await answers;
  const after = await seqsOf(world, grants);
  for (const [index, seq] of after.entries())
    expect(seq, grants[index]?.account).toBeGreaterThanOrEqual(before[index] ?? 0);
  for (const each of frozen) await expectNewest(each, survivor);
});

/** Stops a process of its own, its refreshes at a point. */
async function freezeAt(world: World, survivor: ChaosHost, point: RefreshPoint): Promise<Frozen> {
  const holder = await world.startHost();
  const count = trials * providerClasses.length;
  const grants = await world.grants.connectMany(survivor, `frozen-${point.name}`, count, world.providers());
  const stopped = stopAt(world, point, grants);
  const answers = Promise.all(grants.map((grant) => refresh(holder, grant)));
  await stopped.reached();
  holder.freeze();
  return { point, holder, grants, stopped, answers };
}

/** Whoever was asked last by the provider's count, that one's tokens are the grant's. */
async function expectNewest({ point, holder, grants }: Frozen, survivor: ChaosHost): Promise<void> {
  for (const grant of grants) {
    const calls = grant.provider.ledger.callsOf(grant.account);
    const isLost = grant.provider.kind === 'strict' && calls.some(({ status }) => status === 400);
    if (isLost) await expectFlaggedLoss(point, grant, survivor);
    else {
      await expectAlive(survivor, [grant]);
      await expectServed(grant, await credentials(holder, grant));
    }
  }
}

/** The provider has revoked the grant, because the same refresh token came from both. */
async function expectFlaggedLoss({ name }: RefreshPoint, grant: ChaosGrant, survivor: ChaosHost): Promise<void> {
  expect(['K3', 'K4'], `${grant.account}: a loss where none is allowed`).toContain(name);
  await refresh(survivor, grant);
  const answer = await credentials(survivor, grant);
  expect(answer, grant.account).toMatchObject({
    status: 503,
    json: { status_reason: expect.stringMatching(/^(crash_outcome_unknown|needs_reauthorization)$/) },
  });
}
