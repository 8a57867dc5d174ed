import { appendFileSync, renameSync, statSync } from 'node:fs';
import type { HostLog, HostLogLevel } from './functions-host/index.ts';
import { isRecord, parseJson, privateFileMode } from './json-file.ts';

/** The file of the run before is kept beside it when it has grown to this. */
const maxLogBytes = 10 * 1024 * 1024;
const maxShownCharacters = 300;

/** Structured lines go to a file; warnings and errors go to the terminal too, short. */
export interface HostLogger {
  readonly log: HostLog;
  /** As `log`, for the file alone. */
  readonly record: HostLog;
  /** Takes one line that the app logged: JSON with `level`, and `event` or `msg`. */
  appLine(line: string): void;
}

export interface HostLoggerOptions {
  readonly path: string;
  readonly now: () => Date;
  /** Where short lines for people go. */
  readonly show: (line: string) => void;
}

export function createHostLogger({ path, now, show }: HostLoggerOptions): HostLogger {
  rotate(path);
  const write = (line: string): void => appendFileSync(path, `${line}\n`, { mode: privateFileMode });
  const record: HostLog = (level, message, fields = {}) =>
    write(JSON.stringify({ time: now().toISOString(), level, event: 'host', message, ...fields }));
  return {
    record,
    log: (level, message, fields) => {
      record(level, message, fields);
      if (isLoud(level)) show(shorten(level, message));
    },
    appLine: (line) => {
      const text = line.trimEnd();
      if (text === '') return;
      write(text);
      const entry = parseJson(text);
      const level = isRecord(entry) ? levelOf(entry.level) : 'info';
      if (isRecord(entry) && isLoud(level)) show(shorten(level, describe(entry)));
    },
  };
}

function isLoud(level: HostLogLevel): boolean {
  return level === 'warn' || level === 'error';
}

/** Pino's numbers, or names. */
function levelOf(level: unknown): HostLogLevel {
  if (typeof level === 'number') return level >= 50 ? 'error' : level >= 40 ? 'warn' : 'info';
  return level === 'error' || level === 'fatal' ? 'error' : level === 'warn' ? 'warn' : 'info';
}

function describe(entry: Readonly<Record<string, unknown>>): string {
  const shown = ['event', 'msg', 'message', 'code', 'correlation_id'].map((name) => entry[name]);
  return [...new Set(shown.filter((value) => typeof value === 'string' && value !== ''))].join(' ');
}

/** One line, whatever the text holds. */
function shorten(level: HostLogLevel, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters must not reach the terminal
  const line = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
  return `${level}: ${line.length > maxShownCharacters ? `${line.slice(0, maxShownCharacters)}…` : line}`;
}

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > maxLogBytes) renameSync(path, `${path}.1`);
}
