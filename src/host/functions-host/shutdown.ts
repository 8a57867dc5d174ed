import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpListener } from './http-server.ts';
import type { Invoker } from './invocation.ts';
import { describeError, type HostLog } from './log.ts';
import type { QueueListener } from './queues.ts';
import type { HostTimer } from './timers.ts';

export interface Running {
  readonly listener: HttpListener;
  readonly timers: readonly HostTimer[];
  readonly queues: readonly QueueListener[];
  readonly invoker: Invoker;
  readonly terminate: () => Promise<void>;
  readonly drainMs: number;
  readonly log: HostLog;
}

/** Ends a running host: no new work, the app's own hooks, what is in flight, and at `drainMs` whatever is left. */
export async function stopAll({ listener, timers, queues, invoker, terminate, drainMs, log }: Running): Promise<void> {
  for (const timer of timers) {
    timer.stop();
  }
  const closed = listener.drain();
  const settled = (async () => {
    const queuesStopped = queues.map((queue) => queue.stop());
    await terminate().catch((error: unknown) =>
      log('error', 'An appTerminate hook failed', { error: describeError(error) }),
    );
    await Promise.all([closed, invoker.idle(), ...queuesStopped]);
    return true;
  })();
  const timeout = new AbortController();
  const late = sleep(drainMs, false, { signal: timeout.signal }).catch(() => false);
  if (!(await Promise.race([settled, late]))) {
    log('warn', 'The host stopped with work in flight', { drainMs });
  }
  timeout.abort();
  listener.destroy();
  await closed;
}
