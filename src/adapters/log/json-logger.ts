import { type Level, pino } from 'pino';
import { BrokerError } from '../../domain/errors.ts';
import type { LogFields, Logger } from '../../ports/logger.ts';
import type { WorkContext } from '../../ports/work-context.ts';

/** Takes one line of JSON, without its end. */
export type WriteLine = (line: string) => void;

/** What JSON allows in a text as it is, though readers may take it for the end of a line or for a command. */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Logs one JSON object a line. Fields of the work at hand are on every line of it. An error among the fields is
 * written by its name, code and internal detail; what libraries put into their messages is cut to one short line.
 */
export function createJsonLogger(write: WriteLine, context: WorkContext): Logger {
  const out = pino(
    {
      base: null,
      formatters: { level: (level) => ({ level }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'event',
      serializers: { cause: describeCause },
    },
    { write: (line: string) => write(line.trimEnd().replace(unprintable, escaped)) },
  );
  const log = (level: Level, event: string, fields: LogFields = {}) =>
    out[level]({ ...context.current().fields, ...fields }, event);
  return {
    info: (event, fields) => log('info', event, fields),
    warn: (event, fields) => log('warn', event, fields),
    error: (event, fields) => log('error', event, fields),
  };
}

function describeCause(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause === undefined ? undefined : typeof cause;
  if (cause instanceof BrokerError) return { code: cause.code, message: cause.message, detail: cause.detail };
  return {
    name: cause.name,
    message: oneLine(cause.message),
    stack: cause.stack
      ?.split('\n')
      .slice(1, 6)
      .map((line) => line.trim()),
  };
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').slice(0, 300);
}
