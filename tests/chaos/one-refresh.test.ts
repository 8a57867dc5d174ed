import { beforeAll, expect, it } from 'vitest';
import { expectAlive, expectCalls, expectServed, expectSingleUse, resetLedgers, seqsOf } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, credentials, refresh } from './support/grants.ts';
import { isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld } from './support/world.ts';

/** I1 in full asks for what `long` does. The others have 16 calls on fewer processes in a duel, for two cores. */
const load = sized({
  short: { hosts: 3, tasks: 4, grants: 8, rounds: 2, duels: 5, duelHosts: 3 },
  full: { hosts: 4, tasks: 4, grants: 24, rounds: 4, duels: 25, duelHosts: 4 },
  long: { hosts: 8, tasks: 4, grants: 40, rounds: 5, duels: 50, duelHosts: 16 },
});

const getWorld = useWorld({ providers: ['strict', 'overlap'] });
let hosts: ChaosHost[];
let grants: ChaosGrant[];

beforeAll(async () => {
  const world = getWorld();
  hosts = await world.startHosts(load.hosts);
  grants = await world.grants.connectMany(hosts[0] as ChaosHost, 'shared', load.grants, world.providers());
});

function slowProviders(): void {
  for (const { proxy } of getWorld().providers()) proxy.on(isRefresh, { kind: 'delay', leastMs: 20, mostMs: 120 });
}

it('a lapsed grant is refreshed once, however many calls on however many processes need it (S-33)', async () => {
  const world = getWorld();
  for (let round = 0; round < load.rounds; round += 1) {
    slowProviders();
    resetLedgers(world);
    const before = await seqsOf(world, grants);
    await Promise.all(grants.map((grant) => world.grants.lapse(grant)));
    const tasks = hosts.flatMap((host) => Array.from({ length: load.tasks }, () => host));
    await Promise.all(
      tasks.map(async (host) => {
        for (const grant of world.random.shuffled(grants)) await expectServed(grant, await credentials(host, grant));
      }),
    );
    expectCalls(grants, 1);
    expectSingleUse(grants);
    expect(await seqsOf(world, grants)).toEqual(before.map((seq) => seq + 1));
    world.calm();
  }
});

it('all calls at once on all processes for one grant cost one refresh, again and again', async () => {
  const world = getWorld();
  const grant = grants[0] as ChaosGrant;
  const others = await world.startHosts(load.duelHosts - hosts.length);
  const duellers = [...hosts, ...others];
  slowProviders();
  for (let duel = 0; duel < load.duels; duel += 1) {
    resetLedgers(world);
    await world.grants.lapse(grant);
    const callers = Array.from({ length: 16 }, (_, index) => duellers[index % duellers.length] as ChaosHost);
    const answers = await Promise.all(callers.map((host) => credentials(host, grant)));
    expect(new Set(answers.map(({ json }) => json.access_token)).size, 'all got the same token').toBe(1);
    for (const answer of answers) await expectServed(grant, answer);
    expectCalls([grant], 1);
  }
  for (const host of others) await host.kill();
});

it('readers, operators and a refresh of everything at once never use a refresh token twice', async () => {
  const world = getWorld();
  resetLedgers(world);
  slowProviders();
  const before = await seqsOf(world, grants);
  await Promise.all(grants.map((grant) => world.grants.lapse(grant)));
  const jobs = hosts.map((host) => host.call('POST', '/api/oauth/refresh_all', { body: {} }));
  const calls = hosts.flatMap((host) =>
    world.random.shuffled(grants).map(async (grant) => {
      if (world.random.fraction() < 0.5) await expectServed(grant, await credentials(host, grant));
      else expect(await refresh(host, grant), grant.account).toMatchObject({ status: 200 });
    }),
  );
  await Promise.all(calls);
  for (const { status, json } of await Promise.all(jobs)) {
    expect(status).toBe(202);
    await expect
      .poll(
        async () =>
          (await (hosts[0] as ChaosHost).call('GET', `/api/oauth/refresh_job_status?job_id=${json.job_id}`)).json,
        {
          timeout: 30_000,
          interval: 200,
        },
      )
      .toMatchObject({ failed: 0, finished_at: expect.any(String) });
  }
  expectSingleUse(grants);
  const grown = (await seqsOf(world, grants)).map((seq, index) => seq - (before[index] ?? 0));
  expect(grown).toEqual(grants.map(({ account, provider }) => provider.ledger.callsOf(account).length));
  await expectAlive(hosts[0] as ChaosHost, grants);
});
