import { createHash } from 'node:crypto';
import { linkSync, readFileSync, realpathSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { LaunchError } from './problem.mjs';

const pollMs = 200;
const heartbeatMs = 2000;
/** A holder that has not touched its lock for this long is gone, whoever has its process id now. */
const deadAfterMs = 60_000;
const waitLimitMs = 15 * 60_000;

/** Runs `work` while no other process on this machine runs it for the same folder. A dead holder's lock is taken over. */
export async function withLock(folder, work) {
  const path = lockPath(folder);
  await acquire(path);
  const release = () => rmSync(path, { force: true });
  process.once('exit', release);
  const heartbeat = setInterval(() => touch(path), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    process.off('exit', release);
    release();
  }
}

async function acquire(path) {
  const startedMs = performance.now();
  let told = false;
  while (!tryCreate(path)) {
    breakIfDead(path);
    if (!told) console.error('Waiting for another process that is installing ...');
    told = true;
    if (performance.now() - startedMs > waitLimitMs) {
      throw new LaunchError(
        `Another process has been installing for too long. If none is, delete ${path} and what begins like it.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** A hard link appears whole or not at all, so nobody reads a lock without its holder. */
function tryCreate(path) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, String(process.pid));
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Only the holder of the second lock may remove the first: two that find it dead must not remove a new one. */
function breakIfDead(path) {
  if (!isDead(path)) return;
  const breaker = `${path}.break`;
  if (!tryCreate(breaker)) return;
  try {
    if (isDead(path)) rmSync(path, { force: true });
  } finally {
    rmSync(breaker, { force: true });
  }
}

function isDead(path) {
  try {
    const silentMs = Date.now() - statSync(path).mtimeMs;
    return silentMs > deadAfterMs || !isAlive(Number(readFileSync(path, 'utf8')));
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

function touch(path) {
  const now = new Date();
  utimesSync(path, now, now);
}

/** Outside the folder, because `npm ci` empties node_modules and a checkout should stay clean. */
function lockPath(folder) {
  const name = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 16);
  return join(tmpdir(), `bowline-install-${name}.lock`);
}
