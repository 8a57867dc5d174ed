import { describe, expect, it } from 'vitest';
import { createWindows, type WindowOptions } from '../../../../src/usecases/audit/windows.ts';

const lifeMs = 60_000;

/** Windows on a clock and timers of the test's own. */
function windowsOf(options: Partial<Pick<WindowOptions<string>, 'most' | 'whenFull'>> = {}) {
  let now = 0;
  let timers: { readonly at: number; readonly work: () => void }[] = [];
  const ends: (readonly [string, number])[] = [];
  const firsts: string[] = [];
  const windows = createWindows<string>({
    clock: { now: () => now },
    timers: {
      after: (milliseconds, work) => {
        const timer = { at: now + milliseconds, work };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    lifeMs,
    most: 10,
    whenFull: 'end the oldest',
    onEnd: async (what, times) => void ends.push([what, times]),
    ...options,
  });
  return {
    ends,
    firsts,
    pendingTimers: () => timers.length,
    advance(milliseconds: number): void {
      now += milliseconds;
      const due = timers.filter(({ at }) => at <= now);
      timers = timers.filter(({ at }) => at > now);
      for (const { work } of due) work();
    },
    enter: (key: string, write: () => Promise<void> = async () => void firsts.push(key)) =>
      windows.enter(key, key, write),
    drain: () => windows.drain(),
  };
}

describe('a window', () => {
  it('writes the first at once, counts what follows, and writes the count at its end', async () => {
    const windows = windowsOf();
    for (let times = 0; times < 5; times += 1) await windows.enter('a');
    await windows.enter('b');
    expect(windows.firsts).toEqual(['a', 'b']);
    expect(windows.ends).toEqual([]);
    windows.advance(lifeMs);
    expect(windows.ends).toEqual([['a', 4]]);
  });

  it('ends by the clock alone where its timer is late, and the next one is written again', async () => {
    const windows = windowsOf();
    await windows.enter('a');
    await windows.enter('a');
    windows.advance(lifeMs - 1);
    expect(windows.ends).toEqual([]);
    windows.advance(1);
    await windows.enter('a');
    expect(windows.ends).toEqual([['a', 1]]);
    expect(windows.firsts).toEqual(['a', 'a']);
  });

  it('lets nobody pass before the first is written, and refuses all who wait when it cannot be', async () => {
    const windows = windowsOf();
    const { promise, reject } = Promise.withResolvers<void>();
    const all = [windows.enter('a', () => promise), windows.enter('a'), windows.enter('a')].map((entered) =>
      entered.then(
        () => 'passed',
        (error: Error) => error.message,
      ),
    );
    expect(windows.firsts).toEqual([]);
    reject(new Error('down'));
    expect(await Promise.all(all)).toEqual(['down', 'down', 'down']);
    await windows.enter('a');
    expect(windows.firsts).toEqual(['a']);
  });

  it('is written when the process drains, and keeps no timer', async () => {
    const windows = windowsOf();
    await windows.enter('a');
    await windows.enter('a');
    await windows.drain();
    expect(windows.ends).toEqual([['a', 1]]);
    expect(windows.pendingTimers()).toBe(0);
  });
});

describe('more windows than there may be', () => {
  it('end the oldest early, so that each has a first one that is written', async () => {
    const windows = windowsOf({ most: 2 });
    for (const key of ['a', 'a', 'b', 'c']) await windows.enter(key);
    expect(windows.firsts).toEqual(['a', 'b', 'c']);
    expect(windows.ends).toEqual([['a', 1]]);
  });

  it('or count all others together, so that a flood writes a bounded number', async () => {
    const windows = windowsOf({ most: 2, whenFull: { countAs: 'others' } });
    for (let index = 0; index < 1000; index += 1) await windows.enter(`k${index}`);
    expect(windows.firsts).toEqual(['k0', 'k1']);
    windows.advance(lifeMs);
    expect(windows.ends).toEqual([['others', 998]]);
  });
});
