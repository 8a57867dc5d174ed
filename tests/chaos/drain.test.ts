import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { expectAlive, expectSingleUse, resetLedgers, seqsOf } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, refresh } from './support/grants.ts';
import { isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld } from './support/world.ts';

/** One provider answers at once, the other nearly as late as Bowline waits. */
const slowMs = 6000;
const stops = sized({ short: 3, full: 12, long: 40 });
const stopEveryMs = 250;
const grantsPerHost = 4;

const getWorld = useWorld({ providers: ['strict', 'overlap'] });

it('SIGTERM in the middle of refreshes costs nothing, however often it comes', async () => {
  const world = getWorld();
  const steady = await world.startHost();
  const [slow, quick] = [world.provider('strict'), world.provider('overlap')];
  const grants = await world.grants.connectMany(steady, 'drained', stops * grantsPerHost, [slow, quick]);
  slow.proxy.on(isRefresh, { kind: 'delay', leastMs: slowMs, mostMs: slowMs });
  resetLedgers(world);
  const before = await seqsOf(world, grants);

  const ends = [];
  const launches = Array.from({ length: Math.min(2, stops) }, () => world.startHost());
  for (let stop = 0; stop < stops; stop += 1) {
    const host = await (launches[stop] as Promise<ChaosHost>);
    if (launches.length < stops) launches.push(world.startHost());
    const own = grants.slice(stop * grantsPerHost, (stop + 1) * grantsPerHost);
    ends.push(refreshAndStop(host, own, world.random.between(0, stopEveryMs)));
    await delay(stopEveryMs);
  }
  const results = await Promise.all(ends);

  expect(results.map(({ exitCode }) => exitCode)).toEqual(Array(stops).fill(0));
  const grown = (await seqsOf(world, grants)).map((seq, index) => seq - (before[index] ?? 0));
  const calls = grants.map(({ account, provider }) => provider.ledger.callsOf(account));
  expect(grown, 'each request of the provider is written').toEqual(calls.map(({ length }) => length));
  const asked = results.flatMap(({ answers }) => answers);
  for (const [index, answer] of asked.entries()) {
    const account = grants[index]?.account;
    if (answer?.status === 200) expect(calls[index], account).toMatchObject([{ status: 200 }]);
    else expect(calls[index], `${account}: it was told that nothing happened`).toEqual([]);
  }
  expect(asked.filter((answer) => answer?.status === 200).length, 'some were in flight').toBeGreaterThan(stops);
  expectSingleUse(grants);
  world.calm();
  resetLedgers(world);
  await expectAlive(steady, grants);
});

async function refreshAndStop(host: ChaosHost, grants: readonly ChaosGrant[], afterMs: number) {
  const answers = Promise.all(grants.map((grant) => refresh(host, grant)));
  await delay(afterMs);
  const exitCode = await host.terminate();
  return { exitCode, answers: await answers };
}
