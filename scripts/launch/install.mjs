import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import process from 'node:process';
import { runChild } from './child.mjs';
import { withLock } from './lock.mjs';
import { nodePackage } from './node.mjs';
import { LaunchError } from './problem.mjs';

const stampName = '.bowline-installed';

/**
 * Makes `node_modules` what package-lock.json says. Does nothing where the last installation was of this lock file;
 * otherwise runs `npm ci`, one process at a time. Throws a LaunchError when npm fails.
 */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  await withLock(root, async () => {
    if (isInstalled(root)) return;
    console.error('Installing what package-lock.json names (npm ci); this happens once ...');
    await install(root);
    writeFileSync(stampPath(root), stampOf(root));
  });
}

/** Whether the stamp is of this lock file and of what npm says it installed; a right installation gets its stamp. */
function isInstalled(root) {
  if (!existsSync(hiddenLockPath(root))) return false;
  const stamp = stampOf(root);
  if (existsSync(stampPath(root)) && readFileSync(stampPath(root), 'utf8') === stamp) return true;
  if (!installationAgrees(root)) return false;
  writeFileSync(stampPath(root), stamp);
  return true;
}

async function install(root) {
  const { command, args, shell } = npmCommand();
  const options = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  let result;
  try {
    result = await runChild(command, [...args, ...options], { root, shell, capture: true });
  } catch (error) {
    throw new LaunchError(`npm could not be started (${error.code ?? error.message}): Bowline needs npm to install.`);
  }
  if (result.signalled) throw new LaunchError('Stopped while installing.', result.exitCode || 130);
  if (result.exitCode !== 0) {
    process.stderr.write(result.output);
    throw new LaunchError(`npm ci failed with exit code ${result.exitCode}; its output is above.`, result.exitCode);
  }
  if (!existsSync(hiddenLockPath(root))) throw new LaunchError('npm ci ended well, yet left no node_modules.');
}

/** The npm that runs this, where one does (its Node outlives the node_modules that `npm ci` takes away), or PATH's. */
function npmCommand() {
  const { npm_execpath: cli, npm_node_execpath: node } = process.env;
  const isNpm = cli !== undefined && basename(cli) === 'npm-cli.js' && existsSync(cli);
  if (isNpm && node !== undefined && existsSync(node)) return { command: node, args: [cli], shell: false };
  return { command: 'npm', args: [], shell: process.platform === 'win32' };
}

/** npm's own record of what it installed has each package of the lock file that this machine needs. */
function installationAgrees(root) {
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages ?? {};
  const installed = JSON.parse(readFileSync(hiddenLockPath(root), 'utf8')).packages ?? {};
  const node = `node_modules/${nodePackage()}`;
  return Object.entries(wanted).every(([path, entry]) => {
    const found = installed[path];
    if (path === '') return true;
    if (found === undefined) return (entry.optional ?? false) && path !== node;
    return found.version === entry.version && found.integrity === entry.integrity;
  });
}

function stampOf(root) {
  const hash = createHash('sha256');
  hash.update(readFileSync(join(root, 'package-lock.json')));
  hash.update(readFileSync(hiddenLockPath(root)));
  return hash.digest('hex');
}

function stampPath(root) {
  return join(root, 'node_modules', stampName);
}

function hiddenLockPath(root) {
  return join(root, 'node_modules', '.package-lock.json');
}
