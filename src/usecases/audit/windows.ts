import type { Clock } from '../../ports/clock.ts';
import type { Timers } from '../../ports/timers.ts';

export interface WindowOptions<What> {
  readonly clock: Pick<Clock, 'now'>;
  readonly timers: Timers;
  readonly lifeMs: number;
  /** How many may be open at once. */
  readonly most: number;
  /** Beyond that: the oldest ends early, or all others are counted together as this, without a first one. */
  readonly whenFull: 'end the oldest' | { readonly countAs: What };
  /** Told at a window's end how often it came after the first time, where it did. */
  readonly onEnd: (what: What, times: number, startedAt: number) => Promise<void>;
}

export interface Windows<What> {
  /**
   * Opens the window of a key by writing the first one of it; what comes in its time is counted. Rejects when the first
   * one cannot be written, to all that wait for it.
   */
  enter(key: string, what: What, writeFirst: () => Promise<void>): Promise<void>;
  /** Ends all windows. Resolves when their ends are written. */
  drain(): Promise<void>;
}

interface Window<What> {
  readonly what: What;
  readonly startedAt: number;
  /** Nobody passes before the first one is written. */
  readonly opened: Promise<void>;
  times: number;
}

const othersKey = '';

/** Counts what comes too often to be written each time. */
export function createWindows<What>(options: WindowOptions<What>): Windows<What> {
  const { clock, timers, lifeMs, most, whenFull, onEnd } = options;
  const open = new Map<string, Window<What>>();
  const ending = new Set<Promise<void>>();
  let callOff: (() => void) | undefined;

  function end(key: string, { what, times, startedAt }: Window<What>): void {
    open.delete(key);
    if (times === 0) return;
    const written = onEnd(what, times, startedAt).finally(() => ending.delete(written));
    ending.add(written);
  }

  function endOver(): void {
    for (const [key, window] of open) if (clock.now() - window.startedAt >= lifeMs) end(key, window);
    if (open.size > 0) return;
    callOff?.();
    callOff = undefined;
  }

  /** Not exact: nothing depends on when a count is written. */
  function schedule(): void {
    callOff ??= timers.after(lifeMs, () => {
      callOff = undefined;
      endOver();
      if (open.size > 0) schedule();
    });
  }

  function begin(key: string, what: What, opened: Promise<void>, times: number): Window<What> {
    const window = { what, startedAt: clock.now(), opened, times };
    open.set(key, window);
    schedule();
    return window;
  }

  return {
    async enter(key, what, writeFirst) {
      endOver();
      const known = open.get(key);
      if (known !== undefined) {
        known.times += 1;
        return known.opened;
      }
      if (open.size >= most) {
        if (whenFull !== 'end the oldest') {
          const others = open.get(othersKey) ?? begin(othersKey, whenFull.countAs, Promise.resolve(), 0);
          others.times += 1;
          return;
        }
        const [oldest] = open;
        if (oldest !== undefined) end(...oldest);
      }
      const opened = writeFirst();
      const window = begin(key, what, opened, 0);
      try {
        await opened;
      } catch (error) {
        if (open.get(key) === window) open.delete(key);
        throw error;
      }
    },

    async drain() {
      for (const [key, window] of open) end(key, window);
      callOff?.();
      callOff = undefined;
      await Promise.all(ending);
    },
  };
}
