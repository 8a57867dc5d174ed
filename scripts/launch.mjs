// Runs Bowline's commands on any machine with npm and a Node from 20 up: installs what the lock file names where
// that is missing, then starts the command on the Node that the lock file pins. Plain JavaScript, because it runs
// before anything is installed.
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runChild } from './launch/child.mjs';
import { hostFlags } from './launch/host-flags.mjs';
import { ensureInstalled } from './launch/install.mjs';
import { findNode } from './launch/node.mjs';
import { LaunchError } from './launch/problem.mjs';

const oldestNode = 20;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const usage = 'Usage: node scripts/launch.mjs start | test [arguments] | run FILE [arguments]';

/** The arguments that Node gets for a command of ours. */
function argumentsOf([command, ...rest]) {
  if (command === 'start') return [...hostFlags, join(root, 'src', 'host', 'main.ts'), ...rest];
  if (command === 'test') return [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...rest];
  if (command === 'run' && rest.length > 0) return rest;
  throw new LaunchError(usage);
}

async function launch() {
  if (Number.parseInt(process.versions.node, 10) < oldestNode) {
    throw new LaunchError(`Bowline needs Node ${oldestNode} or newer; this is Node ${process.versions.node}.`);
  }
  const nodeArguments = argumentsOf(process.argv.slice(2));
  await ensureInstalled(root);
  return runChild(findNode(root), nodeArguments, { root, ownTools: true });
}

launch().then(
  ({ exitCode }) => process.exit(exitCode),
  (error) => {
    console.error(error instanceof LaunchError ? error.message : error);
    process.exit(error instanceof LaunchError ? error.exitCode : 1);
  },
);
