import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { StartFailure } from './start-failure.ts';

/** For its owner alone: these files hold keys. */
export const privateFileMode = 0o600;

/**
 * Replaces a file in one step, synced to disk before it gets its name, so that a crash leaves the old one or the
 * new one. Synchronous, so that two writers in this process cannot overtake each other.
 */
export function writeFileAtomically(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', privateFileMode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}

export function writeJsonAtomically(path: string, value: unknown): void {
  writeFileAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** The text of a file, or null when there is none. Throws `StartFailure` when it cannot be read. */
export function readTextIfAny(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return null;
    throw new StartFailure(`Cannot read ${path} (${String(code)}).`);
  }
}

export interface VersionedFile<T> {
  readonly path: string;
  /** The newest `schema_version` that this program knows. */
  readonly schemaVersion: number;
  /** The value in the file, or null when it is not what it should be. */
  readonly parse: (value: unknown) => T | null;
}

/**
 * Reads a JSON file with a `schema_version`. Null when there is none. Throws `StartFailure` with one clear line when
 * the file is damaged or was written by a newer Bowline: it is never replaced by an empty one.
 */
export function readVersionedJson<T>({ path, schemaVersion, parse }: VersionedFile<T>): T | null {
  const text = readTextIfAny(path);
  if (text === null) return null;
  const content = parseJson(text);
  const version = isRecord(content) ? content.schema_version : undefined;
  if (typeof version === 'number' && version > schemaVersion) {
    throw new StartFailure(
      `${path} was written by a newer Bowline (version ${version} of the file; this one knows ${schemaVersion}). Use that one, or another BOWLINE_HOME.`,
    );
  }
  const value = version === schemaVersion ? parse(content) : null;
  if (value === null) throw damagedFile(path);
  return value;
}

export function damagedFile(path: string, what: 'is damaged' | 'is missing' = 'is damaged'): StartFailure {
  return new StartFailure(`${path} ${what}. Restore it from a backup, or move the home's folder away to begin anew.`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
