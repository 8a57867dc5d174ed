import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import process from 'node:process';

const isWindows = process.platform === 'win32';

/**
 * One Ctrl-C can reach this process twice, from the terminal and from npm, which forwards it. The host stops at once
 * on a second signal, so what arrives within this time of the first counts as the same wish.
 */
const sameSignalMs = 1000;

/** How often to look whether npm's shell is still there. */
const parentPollMs = 200;

/** What each signal becomes for the child. A closed terminal is a reason to drain as well. */
const forwarded = { SIGINT: 'SIGINT', SIGTERM: 'SIGTERM', SIGHUP: 'SIGTERM' };

/**
 * Runs a program to its end and resolves to `{ exitCode, output, signalled }`: its exit code, or 128 and the number of
 * the signal that ended it; what it printed, where `capture` is set; and whether this process was told to stop.
 * Rejects when the program cannot be started.
 *
 * The child has a process group of its own, so that a terminal's Ctrl-C comes to it from here alone, and once.
 * Windows knows no such groups: there the console tells every process, and this one only waits.
 */
export function runChild(command, args, { root, ownTools = false, capture = false, shell = false }) {
  return new Promise((resolve, reject) => {
    // Before the child is there, so that no signal falls between its start and ours.
    const signals = forwardSignals((signal) => child.kill(signal));
    const child = spawn(command, args, {
      cwd: root,
      env: ownTools ? withOwnTools(root) : process.env,
      detached: !isWindows,
      shell,
      stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    });
    const output = [];
    child.stdout?.on('data', (chunk) => output.push(chunk));
    child.stderr?.on('data', (chunk) => output.push(chunk));
    child.once('error', (error) => {
      signals.stop();
      reject(error);
    });
    child.once('close', (code, signal) => {
      signals.stop();
      resolve({
        exitCode: code ?? 128 + constants.signals[signal],
        output: Buffer.concat(output).toString(),
        signalled: signals.seen(),
      });
    });
  });
}

function forwardSignals(send) {
  let last;
  const handlers = Object.keys(forwarded).map((signal) => {
    const handler = () => {
      const now = performance.now();
      const repeated = last !== undefined && now - last < sameSignalMs;
      if (!repeated) last = now;
      if (!repeated && !isWindows) send(forwarded[signal]);
    };
    process.on(signal, handler);
    return [signal, handler];
  });
  const parent = watchParent(() => process.emit('SIGTERM'));
  return {
    seen: () => last !== undefined,
    stop: () => {
      clearInterval(parent);
      for (const [signal, handler] of handlers) process.off(signal, handler);
    },
  };
}

/**
 * npm passes a signal on to the shell that runs its script. A shell that does not wait for us dies of it and tells
 * nobody, so its death is taken for the signal.
 */
function watchParent(gone) {
  const { ppid } = process;
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    gone();
  }, parentPollMs);
  return timer;
}

/** The environment, with this project's tools (the pinned Node among them) found first. */
function withOwnTools(root) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH';
  const bin = join(root, 'node_modules', '.bin');
  const others = (process.env[name] ?? '').split(delimiter).filter((entry) => entry !== '' && entry !== bin);
  return { ...process.env, [name]: [bin, ...others].join(delimiter) };
}
