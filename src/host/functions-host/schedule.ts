import { Cron } from 'croner';

const fieldNames = ['second', 'minute', 'hour', 'day', 'month', 'day of week'] as const;
const months = 'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec';
const days = 'sun|mon|tue|wed|thu|fri|sat';
const fieldPatterns = [
  fieldPattern('[0-9]+'),
  fieldPattern('[0-9]+'),
  fieldPattern('[0-9]+'),
  fieldPattern('[0-9]+'),
  fieldPattern(`[0-9]+|${months}`),
  fieldPattern(`[0-6]|${days}`),
];

/** Times that an NCRONTAB expression names, in UTC. */
export interface Schedule {
  /** The first time after `from`. */
  next(from: Date): Date;
}

/**
 * Reads an NCRONTAB expression of six fields: second, minute, hour, day, month, day of week. Day and day of week must
 * both fit. Throws for what Azure would not accept, so that nothing passes here and fails there: five fields, `L`, `W`,
 * `#`, `?`, a TimeSpan, and an expression that never comes true.
 */
export function parseSchedule(expression: string): Schedule {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== fieldNames.length) {
    throw new Error(`"${expression}" is not an NCRONTAB expression of six fields.`);
  }
  for (const [index, name] of fieldNames.entries()) {
    if (!fieldPatterns[index]?.test(fields[index] ?? '')) {
      throw new Error(`"${expression}" is not an NCRONTAB expression: bad ${name}.`);
    }
  }
  const cron = readCron(fields.join(' '));
  const schedule = {
    next(from: Date): Date {
      const date = cron.nextRun(from);
      if (date === null) {
        throw new Error(`"${expression}" names no time that comes.`);
      }
      return date;
    },
  };
  schedule.next(new Date());
  return schedule;
}

function readCron(expression: string): Cron {
  try {
    return new Cron(expression, {
      paused: true,
      mode: '6-part',
      domAndDow: true,
      timezone: 'UTC',
      sloppyRanges: true,
    });
  } catch (error) {
    throw new Error(`"${expression}" is not an NCRONTAB expression.`, { cause: error });
  }
}

function fieldPattern(value: string): RegExp {
  const item = `(?:\\*|(?:${value})(?:-(?:${value}))?)(?:/[0-9]+)?`;
  return new RegExp(`^${item}(?:,${item})*$`, 'i');
}
