import { beforeAll, expect, it } from 'vitest';
import { expectAlive, expectCalls, expectServed, expectSingleUse, resetLedgers } from './support/audit.ts';
import { type ChaosHost, logOf } from './support/chaos-host.ts';
import { type ChaosGrant, credentials } from './support/grants.ts';
import { isRefresh } from './support/requests.ts';
import { sized } from './support/size.ts';
import { useWorld } from './support/world.ts';

const shiftsMs = [0, 120_000, -120_000];
/** Two sights of one moment, and a busy machine between them. */
const nearMs = 20_000;
const rounds = sized({ short: 2, full: 5, long: 20 });
const preload = new URL('./support/shifted-clock.ts', import.meta.url).href;

const getWorld = useWorld({ providers: ['strict'] });
let hosts: ChaosHost[];
let grants: ChaosGrant[];

beforeAll(async () => {
  const world = getWorld();
  hosts = await Promise.all(
    shiftsMs.map((shiftMs) =>
      world.startHost({ NODE_OPTIONS: `--import=${preload}`, CHAOS_CLOCK_SHIFT_MS: String(shiftMs) }),
    ),
  );
  grants = await world.grants.connectMany(hosts[0] as ChaosHost, 'timed', 8, world.providers());
});

it('each host’s own clock is as far off as it is meant to be', async () => {
  for (const [index, host] of hosts.entries()) {
    const askedAt = Date.now();
    const said = await host.call('POST', '/api/oauth/connections/nothing/refresh', { body: {} });
    expect(said.status).toBe(404);
    const { time } = JSON.parse((await logOf(host)).trim().split('\n').at(-1) ?? '');
    expect(Math.abs(Date.parse(time) - askedAt - (shiftsMs[index] ?? 0)), host.name).toBeLessThan(nearMs);
  }
});

/** When a token ends, by what the row says, `inMs` from now. */
async function letEnd(grant: ChaosGrant, inMs: number): Promise<void> {
  await getWorld().grants.setExpiry(grant, Date.now() + inMs);
}

it('a clock that is two minutes off serves a token that lives and no token that has lapsed (S-37)', async () => {
  const world = getWorld();
  for (const host of hosts) {
    await Promise.all(grants.map((grant) => letEnd(grant, 100_000)));
    resetLedgers(world);
    for (const grant of grants) {
      const answer = await credentials(host, grant);
      expect(answer, host.name).toMatchObject({ status: 200, json: { method: 'saved_token' } });
    }
    expectCalls(grants, 0);
    await Promise.all(grants.map((grant) => letEnd(grant, -10_000)));
    for (const grant of grants) {
      const answer = await credentials(host, grant);
      expect(answer, host.name).toMatchObject({ status: 200, json: { method: 'refreshed' } });
      const lifeMs = Date.parse(answer.json.expires_at) - Date.now();
      expect(lifeMs, `${host.name}: the true life, to a few seconds`).toBeGreaterThan(600_000 - 5000);
      expect(lifeMs).toBeLessThan(600_000 + 5000);
    }
    expectCalls(grants, 1);
  }
});

it('clocks that are minutes apart do not steal leases from each other', async () => {
  const world = getWorld();
  for (let round = 0; round < rounds; round += 1) {
    resetLedgers(world);
    world.provider('strict').proxy.on(isRefresh, { kind: 'delay', leastMs: 300, mostMs: 1500 });
    await Promise.all(grants.map((grant) => world.grants.lapse(grant)));
    const calls = hosts.flatMap((host) =>
      grants.map(async (grant) => expectServed(grant, await credentials(host, grant))),
    );
    await Promise.all(calls);
    expectCalls(grants, 1);
    world.calm();
  }
  expectSingleUse(grants);
  for (const host of hosts) await expectAlive(host, grants);
});
