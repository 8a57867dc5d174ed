import { describe, expect, it } from 'vitest';
import { createCheckHealth, probeLifeMs } from '../../../src/usecases/check-health.ts';

function start(storage: () => Promise<unknown> = async () => undefined) {
  const events: unknown[] = [];
  const seen = { probes: 0, now: 1_000_000, events };
  const checkHealth = createCheckHealth(
    { clock: { now: () => seen.now }, logger: { warn: (event, fields) => events.push([event, fields]) } },
    {
      storage: () => {
        seen.probes += 1;
        return storage();
      },
    },
  );
  return { seen, checkHealth };
}

describe('whether the broker is ready', () => {
  it('is tried once for 20 who ask at once and for 20 in a row, and again after five seconds', async () => {
    const { seen, checkHealth } = start();
    await Promise.all(Array.from({ length: 20 }, checkHealth));
    for (let call = 0; call < 20; call += 1) expect(await checkHealth()).toEqual({ isReady: true, failing: [] });
    expect(seen.probes).toBe(1);
    seen.now += probeLifeMs - 1;
    await checkHealth();
    expect(seen.probes).toBe(1);
    seen.now += 1;
    await checkHealth();
    expect(seen.probes).toBe(2);
  });

  it('is not asked twice while a slow probe runs, whatever the time', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { seen, checkHealth } = start(() => promise);
    const first = checkHealth();
    seen.now += 10 * probeLifeMs;
    const second = checkHealth();
    resolve();
    expect(await Promise.all([first, second])).toEqual(Array(2).fill({ isReady: true, failing: [] }));
    expect(seen.probes).toBe(1);
  });

  it('no: logged once for everybody, and asked again also where the clock was set back', async () => {
    const { seen, checkHealth } = start(() => {
      throw new Error('down');
    });
    for (let call = 0; call < 5; call += 1)
      expect(await checkHealth()).toEqual({ isReady: false, failing: ['storage'] });
    expect(seen.events).toEqual([['not_ready', { failing: ['storage'] }]]);
    seen.now -= 3_600_000;
    await checkHealth();
    expect(seen.probes).toBe(2);
  });
});
