import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for work, but not longer than so. The work goes on. */
export async function withinTime(limitMs: number, work: Promise<void>): Promise<void> {
  const ended = new AbortController();
  const late = sleep(limitMs, undefined, { signal: ended.signal }).catch(() => {});
  await Promise.race([work, late]).finally(() => ended.abort());
}
