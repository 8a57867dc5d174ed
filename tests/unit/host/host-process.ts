import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import type { HostJson } from '../../../src/host/start-host.ts';

const root = join(import.meta.dirname, '..', '..', '..');

/** What the embedded host runs: the real entry, or one around an app of two functions. */
export const entries = { real: 'src/host/main.ts', fake: 'tests/unit/host/fake-entry.ts' } as const;

export interface HostProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Resolves to the URL of the ready line. Rejects when the process ends before it. */
  ready(): Promise<string>;
  /** Resolves to the exit code. */
  ended(): Promise<number | null>;
  hostJson(): Promise<HostJson>;
}

export interface HostProcessOptions {
  readonly entry: keyof typeof entries;
  readonly home: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a host on any free port, with nothing of this process's environment but what a program needs to run. */
export function startHostProcess({ entry, home, environment = {} }: HostProcessOptions): HostProcess {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [join(root, entries[entry])], {
    env: { PATH, HOME, BOWLINE_HOME: home, BOWLINE_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'close');
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ready: async () => {
      await vi.waitUntil(() => isReady(stdout) || child.exitCode !== null, { timeout: 15_000, interval: 20 });
      const url = /^Bowline ready on (\S+)$/m.exec(stdout)?.[1];
      if (url === undefined) throw new Error(`the host ended with ${child.exitCode}: ${stderr}`);
      return url;
    },
    ended: async () => {
      await exited;
      return child.exitCode;
    },
    hostJson: async () => JSON.parse(await readFile(join(home, 'host.json'), 'utf8')) as HostJson,
  };
}

function isReady(stdout: string): boolean {
  return /^Bowline ready on \S+$/m.test(stdout);
}

/** Ends a process that a test left running. */
export async function endProcess(host: HostProcess): Promise<void> {
  if (host.child.exitCode !== null || host.child.signalCode !== null) return;
  host.child.kill('SIGKILL');
  await host.ended();
}
