import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import type { Answer } from '../support/running-hosts.ts';
import { expectAlive, expectCalls, expectServed, expectSingleUse, resetLedgers, seqsOf } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, credentials, refresh } from './support/grants.ts';
import { isAny, isClaim, isCommit, isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld, type World } from './support/world.ts';

const load = sized({
  short: { hosts: 2, grants: 6, rounds: 2, stormMs: 5000 },
  full: { hosts: 3, grants: 16, rounds: 6, stormMs: 20_000 },
  long: { hosts: 4, grants: 40, rounds: 10, stormMs: 60_000 },
});
const commitOutageMs = 5000;

const getWorld = useWorld({ providers: ['strict', 'overlap'] });
let hosts: ChaosHost[];
let grants: ChaosGrant[];

beforeAll(async () => {
  const world = getWorld();
  hosts = await world.startHosts(load.hosts);
  grants = await world.grants.connectMany(hosts[0] as ChaosHost, 'stored', load.grants, world.providers());
});

const anyHost = (world: World): ChaosHost => world.random.pick(hosts);

/** Asks again as a workflow would, for as long as storage is what is wrong. */
async function persistently(world: World, ask: (host: ChaosHost) => Promise<Answer | undefined>): Promise<Answer> {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await ask(anyHost(world));
    if (answer?.status === 200) return answer;
    const passing = ['storage_unavailable', 'refresh_in_progress'];
    if (!passing.includes(answer?.json?.error)) throw new Error(`not a fault that passes: ${answer?.text}`);
    await delay(100);
  }
  throw new Error('it did not pass');
}

it('commits and claims whose answers are lost are resolved by reading', async () => {
  const world = getWorld();
  for (let round = 0; round < load.rounds; round += 1) {
    resetLedgers(world);
    await Promise.all(grants.map((grant) => world.grants.lapse(grant)));
    const before = await seqsOf(world, grants);
    const lost = [isCommit, isClaim].map((matches) =>
      world.tables.on(matches, { kind: 'lose-reply' }, { chance: 0.3 }),
    );
    const answers = await Promise.all(grants.map((grant) => credentials(anyHost(world), grant)));
    for (const [index, grant] of grants.entries()) await expectServed(grant, answers[index] as Answer);
    for (const rule of lost) {
      rule.stop();
      expect(rule.hits(), 'some were lost').toBeGreaterThan(0);
    }
    expect(await seqsOf(world, grants)).toEqual(before.map((seq) => seq + 1));
    expectCalls(grants, 1);
  }
  expectSingleUse(grants);
  await expectAlive(anyHost(world), grants);
});

it('commits whose answers never come are resolved by reading too', async () => {
  const world = getWorld();
  resetLedgers(world);
  await Promise.all(grants.map((grant) => world.grants.lapse(grant)));
  const before = await seqsOf(world, grants);
  const silent = world.tables.hold(isCommit, { at: 'answer', times: grants.length });
  const answers = await Promise.all(grants.map((grant) => credentials(anyHost(world), grant)));
  for (const [index, grant] of grants.entries()) await expectServed(grant, answers[index] as Answer);
  expect(silent.count()).toBe(grants.length);
  expect(await seqsOf(world, grants)).toEqual(before.map((seq) => seq + 1));
  expectCalls(grants, 1);
  silent.abandon();
});

it('storage that refuses one request in five loses nothing', async () => {
  const world = getWorld();
  resetLedgers(world);
  const before = await seqsOf(world, grants);
  const { tables } = world;
  const refusals = [
    tables.on(isAny, { kind: 'answer', status: 503 }, { chance: 0.1 }),
    tables.on(isAny, { kind: 'answer', status: 500 }, { chance: 0.06 }),
    tables.on(isAny, { kind: 'answer', status: 429, headers: { 'retry-after': '1' } }, { chance: 0.05 }),
  ];
  const endsAt = Date.now() + load.stormMs;
  await Promise.all(
    grants.map(async (grant) => {
      while (Date.now() < endsAt) {
        if (world.random.fraction() < 0.5) {
          await world.grants.lapse(grant);
          await expectServed(grant, await persistently(world, (host) => credentials(host, grant)));
        } else await persistently(world, (host) => refresh(host, grant));
        await delay(world.random.between(50, 400));
      }
    }),
  );
  world.calm();
  for (const rule of refusals) expect(rule.hits(), 'refused again and again').toBeGreaterThan(grants.length);
  expectSingleUse(grants);
  const grown = (await seqsOf(world, grants)).map((seq, index) => seq - (before[index] ?? 0));
  expect(grown).toEqual(grants.map(({ account, provider }) => provider.ledger.callsOf(account).length));
  await expectAlive(anyHost(world), grants);
});

it('storage that is away for 5 s exactly when new tokens are to be written loses none of them', async () => {
  const world = getWorld();
  resetLedgers(world);
  await Promise.all(grants.map((grant) => world.grants.lapse(grant)));
  let outage: Promise<number> | undefined;
  const goAway = async (): Promise<number> => {
    const commits = world.tables.on(isCommit, { kind: 'answer', status: 503 });
    const rest = world.tables.on(isAny, { kind: 'answer', status: 503 });
    await delay(commitOutageMs);
    for (const rule of [commits, rest]) rule.stop();
    return commits.hits();
  };
  for (const { proxy } of world.providers()) {
    proxy.observe({
      answered(request) {
        if (isRefresh(request)) outage ??= goAway();
      },
    });
  }
  const answers = await Promise.all(grants.map((grant) => persistently(world, (host) => credentials(host, grant))));
  expect(await outage, 'commits were refused').toBeGreaterThan(0);
  for (const [index, grant] of grants.entries()) await expectServed(grant, answers[index] as Answer);
  expectCalls(grants, 1);
  await expectAlive(anyHost(world), grants);
});
