import { expect, it } from 'vitest';
import { expectServed } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { halfHourlySchedule, makeDue } from './support/due.ts';
import { type ChaosGrant, credentials, dealt } from './support/grants.ts';
import { finishedJob, sweep } from './support/jobs.ts';
import { isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { startLater } from './support/tables-view.ts';
import { useWorld } from './support/world.ts';

const count = sized({ short: 4, full: 20, long: 100 });
/** Of one provider. Fewer than the failures in a row that stop an organisation's calls to it. */
const ofOneOrg = 4;
const minuteMs = 60_000;
const lifeSeconds = 2 * 60 * 60;
/** Past the backoff of a first failure. */
const soonMs = 10 * minuteMs;
/** Past the last sweep that can save a token of that life, and before its end. */
const lastChanceMs = 100 * minuteMs;

const getWorld = useWorld({
  providers: ['strict', 'steady'],
  environment: halfHourlySchedule(),
  accessTokenLifeSeconds: lifeSeconds,
});

it('a provider whose answer is lost is not asked again while the access token lives, and a loss is flagged', async () => {
  const world = getWorld();
  const first = await world.startHost();
  const grants = await world.grants.connectMany(first, 'unanswered', count, world.providers(), dealt(ofOneOrg));
  const before = grants.map(asked);
  await makeDue(world, grants);
  // No answer is lost before the last request has come: no breaker has a failure to count until then.
  const ofEach = count / world.providers().length;
  const holds = world.providers().map(({ proxy }) => proxy.hold(isRefresh, { at: 'answer', times: ofEach }));
  const job = await sweep(world, first);
  await Promise.all(holds.map((hold) => hold.waiting(ofEach)));
  for (const hold of holds) hold.abandon();
  expect(await finishedJob(first, job)).toMatchObject({ due: count, failed: count });
  expect(grants.map(asked)).toEqual(before.map((calls) => calls + 1));
  await first.terminate();

  const soon = await startLater(world, soonMs);
  expect(await finishedJob(soon, await sweep(world, soon))).toMatchObject({ due: count, skipped: count });
  expect(grants.map(asked), 'none is asked for again').toEqual(before.map((calls) => calls + 1));
  for (const grant of grants) {
    await expectServed(grant, await credentials(soon, grant));
    expect(await world.grants.row(grant)).toMatchObject({ status: 'completed', outcome_unknown: true });
  }
  await soon.terminate();

  const late = await startLater(world, lastChanceMs);
  expect(await finishedJob(late, await sweep(world, late))).toMatchObject({ due: count, refreshed: count / 2 });
  for (const grant of grants) await expectSettled(late, grant);
});

function asked({ provider, account }: ChaosGrant): number {
  return provider.ledger.callsOf(account).length;
}

/** Only where the refresh token is good once has something been lost, and there it says so. */
async function expectSettled(host: ChaosHost, grant: ChaosGrant): Promise<void> {
  const served = await credentials(host, grant);
  if (grant.provider.kind === 'steady') return expectServed(grant, served);
  const told = { error: 'connection_not_ready', status_reason: 'crash_outcome_unknown' };
  expect(served, grant.account).toMatchObject({ status: 503, json: told });
}
