import type { AppFunction } from './app-functions.ts';
import type { Invoker } from './invocation.ts';
import { describeError, type HostLog } from './log.ts';
import type { Schedule } from './schedule.ts';

// The longest wait that setTimeout takes.
const maxWaitMs = 2 ** 31 - 1;

/** A run that begins later than this after its time, because the process slept, is past due. */
const pastDueAfterMs = 1000;

// What the real host gives for "never", a default DateTime.
const never = '0001-01-01T00:00:00+00:00';

export interface HostTimer {
  readonly target: AppFunction;
  /**
   * Runs the function now. While a run is on, waits for it and runs then; callers that wait share that run.
   * Throws what the function throws.
   */
  run(): Promise<void>;
  /** Follows the schedule until `stop`. */
  start(): void;
  stop(): void;
}

export interface HostTimerOptions {
  readonly target: AppFunction;
  readonly schedule: Schedule;
  readonly invoker: Invoker;
  readonly log: HostLog;
}

/** A timer function. Within this process it never overlaps with itself; a time that comes while it runs is skipped. */
export function createTimer({ target, schedule, invoker, log }: HostTimerOptions): HostTimer {
  let last = never;
  let running: Promise<void> | undefined;
  let queued: Promise<void> | undefined;
  let armed: NodeJS.Timeout | undefined;

  const begin = (isPastDue: boolean): Promise<void> => {
    const startedAt = new Date();
    const info = timerInfo({ last, next: schedule.next(startedAt).toISOString(), isPastDue });
    last = startedAt.toISOString();
    const run = invoker
      .invoke(target.registered, { bindingName: target.triggerBinding, data: { json: JSON.stringify(info) } })
      .then(() => {})
      .finally(() => {
        running = undefined;
      });
    running = run;
    return run;
  };

  const afterRunning = async (current: Promise<void>): Promise<void> => {
    await Promise.allSettled([current]);
    queued = undefined;
    await begin(false);
  };

  const tick = (due: Date): void => {
    if (running === undefined) {
      begin(Date.now() - due.getTime() > pastDueAfterMs).catch(() => {});
    } else {
      log('debug', 'Timer still runs, this time is skipped', { function: target.name });
    }
    arm(new Date(Math.max(Date.now(), due.getTime())));
  };

  const arm = (from: Date): void => waitUntil(schedule.next(from));

  const waitUntil = (due: Date): void => {
    const waitMs = due.getTime() - Date.now();
    armed = setTimeout(
      () => (waitMs > maxWaitMs ? waitUntil(due) : tick(due)),
      Math.min(Math.max(waitMs, 0), maxWaitMs),
    );
  };

  return {
    target,
    async run() {
      if (running === undefined) {
        return begin(false);
      }
      queued ??= afterRunning(running);
      return queued;
    },
    start: () => arm(new Date()),
    stop: () => clearTimeout(armed),
  };
}

/** Runs a timer for somebody who does not wait. The invoker logs what fails inside the function. */
export function runInBackground(timer: HostTimer, log: HostLog): void {
  timer.run().catch((error: unknown) => {
    log('debug', 'A requested timer run failed', { function: timer.target.name, error: describeError(error) });
  });
}

interface TimerStatus {
  readonly last: string;
  readonly next: string;
  readonly isPastDue: boolean;
}

/** The shape that the real host sends; the library turns its names into camel case. */
function timerInfo({ last, next, isPastDue }: TimerStatus): Record<string, unknown> {
  return {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: { Last: last, Next: next, LastUpdated: last },
    IsPastDue: isPastDue,
  };
}
