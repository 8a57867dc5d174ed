import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosHost } from './chaos-host.ts';
import { size } from './size.ts';
import { openTablesView } from './tables-view.ts';
import type { World } from './world.ts';

/** What the product gives a lease, and a little more. */
const leaseAndMoreMs = 31_500;

/**
 * A host for which the leases that were taken before `since` are over: the host given, once that time has passed. The
 * short run does not wait; it starts a host that sees storage's clock so much later.
 */
export async function hostAfterLeases(world: World, host: ChaosHost, since: number): Promise<ChaosHost> {
  if (size === 'short') {
    const view = await openTablesView(world, { name: 'after-leases', laterMs: leaseAndMoreMs });
    return world.startHost(view.environment);
  }
  await delay(Math.max(0, since + leaseAndMoreMs - Date.now()));
  return host;
}
