import { beforeAll, describe, expect, it, vi } from 'vitest';
import { expectAlive, expectServed, resetLedgers } from './support/audit.ts';
import type { ChaosHost } from './support/chaos-host.ts';
import { type ChaosGrant, credentials } from './support/grants.ts';
import { isAny } from './support/requests.ts';
import { size, sized } from './support/size.ts';
import { useWorld, type World } from './support/world.ts';

const getWorld = useWorld({ providers: ['strict'] });
let warm: ChaosHost;
let grants: ChaosGrant[];

beforeAll(async () => {
  const world = getWorld();
  warm = await world.startHost();
  grants = await world.grants.connectMany(warm, 'vaulted', sized({ short: 2, full: 6, long: 20 }), world.providers());
});

const first = (): ChaosGrant => grants[0] as ChaosGrant;

/** Begins an outage. Resolves to how many requests it has befallen. */
type Outage = (world: World) => () => number;

const outages: Readonly<Record<string, Outage>> = {
  'breaks every connection': ({ vault }) => vault.on(isAny, { kind: 'drop' }).hits,
  'throttles everybody (429)': ({ vault }) =>
    vault.on(isAny, { kind: 'answer', status: 429, headers: { 'retry-after': '10' } }).hits,
  'refuses the identity (403)': ({ vault }) => vault.on(isAny, { kind: 'answer', status: 403 }).hits,
  'fails (500)': ({ vault }) => vault.on(isAny, { kind: 'answer', status: 500 }).hits,
  'says nothing': ({ vault }) => vault.hold(isAny, { at: 'request' }).count,
};

/** Keys in memory, client secrets not: it has served tokens, and refreshed none. */
async function halfWarm(world: World): Promise<ChaosHost> {
  const host = await world.startHost();
  for (const grant of grants) await expectServed(grant, await credentials(host, grant));
  return host;
}

/** The last ones take long, or go the way of the first. */
const chosen = Object.entries(outages).slice(0, size === 'short' ? 3 : undefined);

describe.each(chosen)('while the vault %s', (_name, begin) => {
  it('a warm host serves and refreshes, a cold one answers 503, and nothing crashes (S-60)', async () => {
    const world = getWorld();
    const half = await halfWarm(world);
    resetLedgers(world);
    const hits = begin(world);
    await world.grants.lapse(first());
    expect(await credentials(half, first())).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
    await Promise.all(grants.slice(1).map((grant) => world.grants.lapse(grant)));
    for (const grant of grants) await expectServed(grant, await credentials(warm, grant));

    const cold = await world.startHost();
    for (const answer of await Promise.all(grants.map((grant) => credentials(cold, grant)))) {
      expect(answer).toMatchObject({ status: 503, json: { error: 'vault_unavailable' } });
    }
    expect((await cold.call('GET', '/api/health')).status).toBe(200);
    expect((await cold.call('GET', '/api/health/ready')).status).toBe(503);
    expect(hits(), 'the half-warm host asked it, and the cold one').toBeGreaterThan(1);

    world.calm();
    await vi.waitFor(async () => expect((await credentials(cold, first())).status).toBe(200), 20_000);
    await expectAlive(cold, grants);
    await expectAlive(half, grants);
    await expectAlive(warm, grants);
    expect(await Promise.all([cold.terminate(), half.terminate()])).toEqual([0, 0]);
  });
});
