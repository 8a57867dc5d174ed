import { beforeEach, describe, expect, it } from 'vitest';
import { createProviderGate } from '../../../../src/adapters/provider-gate/provider-gate.ts';
import { Secret } from '../../../../src/domain/secret.ts';
import type { GrantStore, RowVersion, StoredGrant } from '../../../../src/ports/grant-store.ts';
import { createGrantRefresher, type GrantRefresher } from '../../../../src/usecases/refresh/refresh-grant.ts';
import { ownKey, sampleConnection, sampleGrant, sampleTokens } from '../../../support/tables-samples.ts';
import { createVirtualClock, type VirtualClock } from '../../../support/virtual-clock.ts';

const callMs = 8000;
const connection = sampleConnection();
const stored: StoredGrant = { key: ownKey(connection), grant: sampleGrant(), row: {} as RowVersion };

let clock: VirtualClock;
let vaultMs: number;
/** What happened to the grant, in order. */
let events: string[];
let happens: (event: string) => void;
let refresher: GrantRefresher;

/** A vault and a provider that take as long as they may. */
beforeEach(() => {
  clock = createVirtualClock();
  vaultMs = 5000;
  events = [];
  const grants: Partial<GrantStore> = {
    claim: async () => {
      happens('claimed');
      return { kind: 'claimed', claim: { stored, endsAt: clock.now() + 30_000, isTakeover: false, interruptedMs: 0 } };
    },
    open: async () => sampleTokens('old'),
    release: async () => void happens('released'),
    commit: async (_claim, { grant }) => {
      happens('committed');
      return { kind: 'committed', stored: { ...stored, grant } };
    },
  };
  const outside = {
    clock,
    random: { fraction: () => 0.5 },
    grants,
    vault: {
      get: async () => {
        happens('secret wanted');
        await clock.sleep(vaultMs);
        return new Secret('client-secret');
      },
    },
    authorizationServer: {
      refresh: async () => {
        happens('sent');
        const requestedAt = clock.now();
        await clock.sleep(callMs);
        return { tokens: sampleTokens('new'), requestedAt, expiresAt: requestedAt + 3_600_000, scopes: null };
      },
    },
    gate: createProviderGate({ clock }),
    providers: { get: () => undefined, list: () => [] },
    audit: { note: async () => {} },
    logger: { error: () => {}, warn: () => {} },
    policy: { refreshWindowSeconds: 600, sweepIntervalSeconds: 1800, idleAfterSeconds: 604_800 },
  };
  refresher = createGrantRefresher(outside as unknown as Parameters<typeof createGrantRefresher>[0]);
});

/** Refreshes, and stops at an event. */
async function stopAt(event: string) {
  const { promise: reached, resolve } = Promise.withResolvers<number>();
  let drained: Promise<void> | undefined;
  happens = (each) => {
    events.push(each);
    if (each !== event) return;
    drained = refresher.drain();
    resolve(clock.now());
  };
  const request = { connection, stored, isFresh: () => false, waitMs: 0 };
  const asked = refresher.refresh(request).catch((error: unknown) => error);
  const tookMs = await clock.run(
    reached.then(async (stoppedAt) => {
      await drained;
      return clock.now() - stoppedAt;
    }),
  );
  return { tookMs, result: await asked };
}

describe('a process that stops', () => {
  it('sends nothing any more when the vault gives the secret late, and gives the lease back', async () => {
    const { tookMs, result } = await stopAt('secret wanted');
    expect(result).toMatchObject({ code: 'refresh_in_progress', detail: 'this process is stopping' });
    expect(events).toEqual(['claimed', 'secret wanted', 'released']);
    expect(tookMs).toBeLessThanOrEqual(vaultMs);
  });

  it('still sends where the vault was quick enough for the 12 s that it waits', async () => {
    vaultMs = 2000;
    const { tookMs, result } = await stopAt('secret wanted');
    expect(result).toMatchObject({ isRefreshed: true });
    expect(events).toEqual(['claimed', 'secret wanted', 'sent', 'committed']);
    expect(tookMs).toBeLessThanOrEqual(10_000);
  });

  it('keeps what comes back for a request that was sent', async () => {
    const { tookMs, result } = await stopAt('sent');
    expect(result).toMatchObject({ isRefreshed: true });
    expect(events).toEqual(['claimed', 'secret wanted', 'sent', 'committed']);
    expect(tookMs).toBeLessThanOrEqual(callMs);
  });
});
