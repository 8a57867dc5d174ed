import { app, type Timer } from '@azure/functions';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseSchedule } from '../../../../src/host/functions-host/schedule.ts';
import { createTimer } from '../../../../src/host/functions-host/timers.ts';
import { startTestHost, type TestHost } from '../../../support/functions-host-fixture.ts';

function nextTimes(expression: string, from: string, count: number): string[] {
  const schedule = parseSchedule(expression);
  const times: Date[] = [];
  while (times.length < count) {
    times.push(schedule.next(times.at(-1) ?? new Date(from)));
  }
  return times.map((time) => time.toISOString().replace('.000Z', 'Z'));
}

describe('NCRONTAB', () => {
  it('begins with the second', () => {
    expect(nextTimes('30 */30 * * * *', '2026-01-01T00:00:00Z', 2)).toEqual([
      '2026-01-01T00:00:30Z',
      '2026-01-01T00:30:30Z',
    ]);
  });

  it('needs day and day of week both to fit', () => {
    expect(nextTimes('0 0 12 13 * FRI', '2026-01-01T00:00:00Z', 3)).toEqual([
      '2026-02-13T12:00:00Z',
      '2026-03-13T12:00:00Z',
      '2026-11-13T12:00:00Z',
    ]);
  });

  it('is in UTC, whatever the zone of the machine', () => {
    const zone = process.env.TZ;
    process.env.TZ = 'America/New_York';
    try {
      // 02:30 does not exist in New York on this day.
      expect(nextTimes('0 30 2 * * *', '2026-03-08T00:00:00Z', 2)).toEqual([
        '2026-03-08T02:30:00Z',
        '2026-03-09T02:30:00Z',
      ]);
    } finally {
      process.env.TZ = zone;
    }
  });

  it('knows lists, ranges, steps and names', () => {
    expect(nextTimes('0 0,15 8-9/1 * jan-feb mon,3', '2026-01-05T08:10:00Z', 3)).toEqual([
      '2026-01-05T08:15:00Z',
      '2026-01-05T09:00:00Z',
      '2026-01-05T09:15:00Z',
    ]);
  });

  it.each([
    ['*/5 * * * *', 'is not an NCRONTAB expression of six fields'],
    ['00:30:00', 'is not an NCRONTAB expression of six fields'],
    ['0 0 0 L * *', 'bad day'],
    ['0 0 0 ? * *', 'bad day'],
    ['0 0 0 * * 5#2', 'bad day of week'],
    ['0 0 0 * * 7', 'bad day of week'],
    ['60 * * * * *', 'is not an NCRONTAB expression'],
    ['0 0 0 31 2 *', 'names no time that comes'],
    ['@daily', 'is not an NCRONTAB expression of six fields'],
  ])('refuses %s, which Azure would not run', (expression, reason) => {
    expect(() => parseSchedule(expression)).toThrow(reason);
  });
});

describe('schedule', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00.500Z') });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function scheduled(expression: string, work: () => Promise<void> = async () => {}) {
    const runs: { at: string; info: Record<string, never> }[] = [];
    const invoker = {
      invoke: async (_: unknown, input: { data: { json?: string } }) => {
        runs.push({ at: new Date().toISOString(), info: JSON.parse(input.data.json ?? '') });
        await work();
        return {};
      },
      idle: async () => {},
    };
    const log = vi.fn();
    const target = { name: 'timer', registered: {}, trigger: 'timer', triggerBinding: 't', binding: {} };
    const timer = createTimer({ target: target as never, schedule: parseSchedule(expression), invoker, log });
    return { timer, runs, log };
  }

  it('runs at each time, and no more after stop', async () => {
    const { timer, runs } = scheduled('*/10 * * * * *');
    timer.start();
    await vi.advanceTimersByTimeAsync(25_000);
    timer.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs.map((run) => run.at)).toEqual(['2026-01-01T00:00:10.000Z', '2026-01-01T00:00:20.000Z']);
    expect(runs[1]?.info).toEqual({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: {
        Last: '2026-01-01T00:00:10.000Z',
        Next: '2026-01-01T00:00:30.000Z',
        LastUpdated: '2026-01-01T00:00:10.000Z',
      },
      IsPastDue: false,
    });
  });

  it('waits out times that are further off than setTimeout reaches', async () => {
    const { timer, runs } = scheduled('0 0 0 1 3 *');
    timer.start();
    await vi.advanceTimersByTimeAsync(58 * 24 * 3600 * 1000);
    expect(runs).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(24 * 3600 * 1000);
    expect(runs.map((run) => run.at)).toEqual(['2026-03-01T00:00:00.000Z']);
    timer.stop();
  });

  it('skips the times that come while the timer runs', async () => {
    const { timer, runs, log } = scheduled('*/10 * * * * *', () => new Promise((done) => setTimeout(done, 25_000)));
    timer.start();
    await vi.advanceTimersByTimeAsync(55_000);
    timer.stop();
    expect(runs.map((run) => run.at)).toEqual(['2026-01-01T00:00:10.000Z', '2026-01-01T00:00:40.000Z']);
    expect(log).toHaveBeenCalledWith('debug', 'Timer still runs, this time is skipped', { function: 'timer' });
  });

  it('goes on after a run that fails', async () => {
    const { timer, runs } = scheduled('*/10 * * * * *', () => Promise.reject(new Error('no')));
    timer.start();
    await vi.advanceTimersByTimeAsync(25_000);
    timer.stop();
    expect(runs).toHaveLength(2);
  });

  it('calls a run past due that begins late because the process slept', async () => {
    const { timer, runs } = scheduled('0 * * * * *');
    timer.start();
    vi.setSystemTime(new Date('2026-01-01T00:05:30Z'));
    await vi.advanceTimersByTimeAsync(59_500);
    timer.stop();
    expect(runs[0]?.info).toMatchObject({ IsPastDue: true });
  });

  it('runs asked for while one is on share one run after it, and never overlap', async () => {
    let active = 0;
    let most = 0;
    const { timer, runs } = scheduled('0 0 0 * * *', async () => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((done) => setTimeout(done, 1000));
      active -= 1;
    });
    const all = Promise.all([timer.run(), timer.run(), timer.run()]);
    await vi.advanceTimersByTimeAsync(5000);
    await all;
    expect(runs).toHaveLength(2);
    expect(most).toBe(1);
  });
});

describe('timer functions', () => {
  const hosts: TestHost[] = [];
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.stop()));
  });
  async function startHost(...args: Parameters<typeof startTestHost>): Promise<TestHost> {
    const host = await startTestHost(...args);
    hosts.push(host);
    return host;
  }

  it('get the timer that the library describes, and run on their schedule', async () => {
    const seen: Timer[] = [];
    const register = () => app.timer('tick', { schedule: '* * * * * *', handler: (timer) => void seen.push(timer) });
    await startHost(register, { runTimers: true });
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0), { timeout: 5000 });
    expect(seen[0]).toMatchObject({
      isPastDue: expect.any(Boolean),
      schedule: { adjustForDST: true },
      scheduleStatus: { next: expect.stringMatching(/^\d{4}-.*Z$/), last: expect.any(String) },
    });
  });

  it('take their schedule from a setting', async () => {
    const register = () => app.timer('tick', { schedule: '%TICK%', handler: () => {} });
    await startHost(register, { environment: { TICK: '0 0 0 * * *' } });
    await expect(startTestHost(register, { environment: {} })).rejects.toThrow(
      'The schedule of function "tick" names the setting TICK, which is not set.',
    );
    await expect(startTestHost(register, { environment: { TICK: 'hourly' } })).rejects.toThrow('six fields');
  });

  it('do not run at startup, even with runOnStartup', async () => {
    const handler = vi.fn();
    const register = () =>
      app.timer('tick', { schedule: '0 0 0 1 1 *', runOnStartup: true, useMonitor: true, handler });
    const host = await startHost(register, { runTimers: true });
    await host.get('/api/anything');
    expect(handler).not.toHaveBeenCalled();
  });

  it('run on demand, and hand on what they throw', async () => {
    const handler = vi.fn().mockResolvedValueOnce(undefined).mockRejectedValueOnce(new Error('sweep broke'));
    const host = await startHost(() => app.timer('sweep', { schedule: '0 0 0 1 1 *', handler }));
    await host.runTimer('sweep');
    await expect(host.runTimer('sweep')).rejects.toThrow('sweep broke');
    await expect(host.runTimer('other')).rejects.toThrow('There is no timer function "other".');
    expect(host.lines.filter((line) => line.message === 'Function failed')).toHaveLength(1);
  });
});
