import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { vi } from 'vitest';

/** One bash that runs what a person pastes, block after block, and keeps its variables. */
export interface BashSession {
  /** Runs a block. Resolves to its exit code and everything that it printed. */
  paste(block: string): Promise<{ readonly exitCode: number; readonly output: string }>;
  end(): Promise<void>;
}

const limitMs = 20_000;

/** A command that fails ends its block, also in the middle of it. */
export function startBash(folder: string, environment: Readonly<Record<string, string>>): BashSession {
  const child = spawn('bash', ['--noprofile', '--norc'], { cwd: folder, env: environment, stdio: 'pipe' });
  const closed = once(child, 'close');
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  }
  let blocks = 0;
  return {
    async paste(block) {
      blocks += 1;
      printed = '';
      const done = new RegExp(`^block ${blocks} ended with (\\d+)$`, 'm');
      child.stdin.write(`trap 'echo "block ${blocks} ended with $?"' EXIT\nset -euo pipefail\n${block}\n`);
      child.stdin.write(`trap - EXIT; echo; echo "block ${blocks} ended with $?"\n`);
      await vi.waitUntil(() => done.test(printed), { timeout: limitMs, interval: 20 });
      return { exitCode: Number(done.exec(printed)?.[1]), output: printed.replace(done, '').trim() };
    },
    async end() {
      child.stdin.end();
      await closed;
    },
  };
}
