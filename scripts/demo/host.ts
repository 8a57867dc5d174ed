import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostJson } from '../../src/host/start-host.ts';
import { StepFailure } from './step-failure.ts';

export interface DemoHost {
  readonly hostJson: HostJson;
  readonly isOwn: boolean;
  stop(): Promise<void>;
}

const entry = join(dirname(dirname(import.meta.dirname)), 'src', 'host', 'main.ts');
const startLimitMs = 30_000;
const pollMs = 50;
const interruptedExitCode = 130;

/** The host that runs in `home`, or a fresh one in a temporary home, which `stop` takes away again. */
export async function findOrStartHost(home: string): Promise<DemoHost> {
  const running = await readHostJson(home);
  if (running !== undefined && (await answers(running.url))) {
    return { hostJson: running, isOwn: false, stop: async () => {} };
  }
  return startFreshHost();
}

async function startFreshHost(): Promise<DemoHost> {
  const home = await mkdtemp(join(tmpdir(), 'bowline-demo-'));
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [entry], {
    env: { PATH, HOME, BOWLINE_HOME: home, BOWLINE_PORT: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const ended = once(child, 'close');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
    await rm(home, { recursive: true, force: true });
  };
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      process.exitCode = interruptedExitCode;
      void stop().finally(() => process.exit());
    });
  }
  const deadline = Date.now() + startLimitMs;
  while (Date.now() < deadline && child.exitCode === null) {
    const hostJson = await readHostJson(home);
    if (hostJson !== undefined) return { hostJson, isOwn: true, stop };
    await sleep(pollMs);
  }
  await stop();
  throw new StepFailure(complaint.trim().split('\n')[0] || 'The host did not start in 30 seconds.');
}

async function readHostJson(home: string): Promise<HostJson | undefined> {
  try {
    return JSON.parse(await readFile(join(resolve(home), 'host.json'), 'utf8')) as HostJson;
  } catch {
    return undefined;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(2000) })).ok;
  } catch {
    return false;
  }
}
