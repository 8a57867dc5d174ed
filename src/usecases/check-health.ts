import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

/** Something outside that the broker needs: resolves when it answers, rejects when it does not. */
export type Probe = () => Promise<unknown>;

export interface Health {
  readonly isReady: boolean;
  /** The names of what does not answer: for the log, not for the public. */
  readonly failing: readonly string[];
}

export interface CheckHealthNeeds {
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** So long is one result given to whoever asks: anyone may ask, and each probe calls storage and vault. */
export const probeLifeMs = 5000;

/**
 * Tries everything the broker needs, side by side, and logs what does not answer. Whoever asks while it is tried, or
 * within five seconds after, gets the same result. Never throws.
 */
export function createCheckHealth(
  { clock, logger }: CheckHealthNeeds,
  probes: Readonly<Record<string, Probe>>,
): () => Promise<Health> {
  let running: Promise<Health> | undefined;
  let last: { readonly at: number; readonly health: Health } | undefined;

  async function probe(): Promise<Health> {
    const health = await tryAll(probes);
    if (!health.isReady) logger.warn('not_ready', { failing: health.failing });
    last = { at: clock.now(), health };
    running = undefined;
    return health;
  }

  return async () => {
    // A clock that was set back keeps nothing alive.
    if (last !== undefined && Math.abs(clock.now() - last.at) < probeLifeMs) return last.health;
    running ??= probe();
    return running;
  };
}

async function tryAll(probes: Readonly<Record<string, Probe>>): Promise<Health> {
  const results = await Promise.all(
    Object.entries(probes).map(async ([name, probe]) => {
      try {
        await probe();
        return [];
      } catch {
        return [name];
      }
    }),
  );
  const failing = results.flat();
  return { isReady: failing.length === 0, failing };
}
