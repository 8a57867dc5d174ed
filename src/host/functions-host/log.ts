import type { RpcLogLevel } from './core-types.ts';

export type HostLogLevel = 'debug' | 'info' | 'warn' | 'error';

export type HostLog = (level: HostLogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

const hostLevels: Readonly<Record<RpcLogLevel, HostLogLevel>> = {
  trace: 'debug',
  debug: 'debug',
  information: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'error',
  none: 'debug',
};

export function hostLevel(level: RpcLogLevel): HostLogLevel {
  return hostLevels[level] ?? 'info';
}

/** For a field of a log line: the stack where there is one, in one string. */
export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
