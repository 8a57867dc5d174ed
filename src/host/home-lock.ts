import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson, privateFileMode } from './json-file.ts';
import { identityOf, isAlive } from './process-identity.ts';
import { StartFailure } from './start-failure.ts';

const holderSchema = z.object({ pid: z.int(), startedAt: z.string().nullable() });

/**
 * Takes the lock of a home, also from a host that died with it. Resolves to what gives it back.
 * Throws `StartFailure` when a living host has it.
 */
export function lockHome(home: string): () => void {
  const path = join(home, 'lock');
  const mine = join(home, `lock.${process.pid}`);
  writeFileSync(mine, JSON.stringify(identityOf(process.pid)), { mode: privateFileMode });
  try {
    // A link appears with its content or not at all, and fails where there is one.
    while (!tryLink(mine, path)) removeStale(path, home);
  } finally {
    rmSync(mine, { force: true });
  }
  return () => rmSync(path, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Moves a dead host's lock away. Two starters may do this at once: each looks at what it really moved. */
function removeStale(path: string, home: string): void {
  refuseIfAlive(readHolder(path), home);
  const moved = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, moved);
  } catch {
    return;
  }
  try {
    refuseIfAlive(readHolder(moved), home, () => tryLink(moved, path));
  } finally {
    rmSync(moved, { force: true });
  }
}

function refuseIfAlive(holder: z.infer<typeof holderSchema> | undefined, home: string, undo?: () => void): void {
  if (holder === undefined || !isAlive(holder)) return;
  undo?.();
  throw new StartFailure(`Another Bowline (process ${holder.pid}) uses ${home}. Stop it, or set another BOWLINE_HOME.`);
}

function readHolder(path: string): z.infer<typeof holderSchema> | undefined {
  try {
    return holderSchema.safeParse(parseJson(readFileSync(path, 'utf8'))).data;
  } catch {
    return undefined;
  }
}
