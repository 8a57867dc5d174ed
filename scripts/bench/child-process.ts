import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** A process beside this one. */
export interface BenchProcess<Started> {
  /** What it said when it was ready. */
  readonly started: Started;
  /** Seconds of the processor that it has taken so far. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

const askCpu = 'cpu';

/** Starts a part of the services. */
export async function startBenchProcess<Started>(part: 'storage' | 'services'): Promise<BenchProcess<Started>> {
  const child = fork(join(import.meta.dirname, 'services-process.ts'), [part]);
  const [started] = (await once(child, 'message')) as [Started];
  return {
    started,
    cpuSeconds: async () => {
      child.send(askCpu);
      const [seconds] = (await once(child, 'message')) as [number];
      return seconds;
    },
    stop: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

/** In such a process: says that it is ready, answers what is asked of it, and ends with its parent. */
export function answerParent(started: object): void {
  process.on('message', (message) => {
    if (message === askCpu) process.send?.(ownCpuSeconds());
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.(started);
}

/** Seconds of the processor that this process has taken so far, all its threads together. */
export function ownCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}
