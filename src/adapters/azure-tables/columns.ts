import { BrokerError } from '../../domain/errors.ts';

/** What a column can hold here. Whole numbers are bigint: Table Storage's Int64. */
export type ColumnValue = string | boolean | bigint | Uint8Array;
export type Columns = Readonly<Record<string, ColumnValue>>;

/** A string property is UTF-16 and takes 64 KiB. */
const stringMaxChars = 32_768;
const binaryMaxBytes = 65_536;
const entityMaxBytes = 1024 * 1024;

/** Merge cannot remove a column, so that "none" is a value: no text, no JSON, and -1 for numbers. */
const noText = '';
const noNumber = -1n;

export function textColumn(value: string | null): string {
  return value ?? noText;
}

export function numberColumn(value: number | null): bigint {
  return value === null ? noNumber : BigInt(Math.trunc(value));
}

export function jsonColumn(value: unknown): string {
  return value === null ? noText : JSON.stringify(value);
}

/**
 * Refuses what the service would refuse, before anything is sent. Throws `validation_failed` that names the column.
 * `columns` are those of the row as it would be after the write.
 */
export function checkSizes(columns: Columns): void {
  let totalBytes = 0;
  for (const [name, value] of Object.entries(columns)) {
    const bytes = bytesOf(value);
    if (typeof value === 'string' ? value.length > stringMaxChars : bytes > binaryMaxBytes) throw tooLong(name);
    totalBytes += bytes + name.length * 2 + 8;
  }
  if (totalBytes > entityMaxBytes) throw tooLong('record');
}

function bytesOf(value: ColumnValue): number {
  if (typeof value === 'string') return value.length * 2;
  return value instanceof Uint8Array ? value.byteLength : 8;
}

function tooLong(path: string): BrokerError {
  const message = 'is too long to be stored';
  return new BrokerError('validation_failed', `${path} ${message}`, { details: [{ path, message }] });
}

/** A row that this version cannot make sense of. Names the row and the column, never the value. */
export class MalformedRowError extends Error {
  override readonly name = 'MalformedRowError';
}

export interface ColumnReader {
  text(name: string): string;
  optionalText(name: string): string | null;
  number(name: string): number;
  optionalNumber(name: string): number | null;
  flag(name: string): boolean;
  /** Null where the column is empty. What is in it was written by `jsonColumn`. */
  json<Value>(name: string): Value | null;
  oneOf<Value extends string>(name: string, allowed: readonly Value[]): Value;
  optionalOneOf<Value extends string>(name: string, allowed: readonly Value[]): Value | null;
  bytes(name: string): Uint8Array;
}

/**
 * Reads columns by kind. One that is missing, as in a row of an older version, reads as empty; one of another kind
 * throws `MalformedRowError`.
 */
export function columnReader(columns: Columns): ColumnReader {
  function value<Kind extends ColumnValue>(name: string, empty: Kind, isKind: (held: unknown) => held is Kind): Kind {
    const held = columns[name] ?? empty;
    if (!isKind(held)) throw new MalformedRowError(`column ${name} holds a value of another kind`);
    return held;
  }
  const text = (name: string) => value(name, noText, isText);
  const optionalText = (name: string) => text(name) || null;
  const optionalNumber = (name: string) => {
    const held = Number(value(name, noNumber, isNumber));
    return held < 0 ? null : held;
  };
  function optionalOneOf<Value extends string>(name: string, allowed: readonly Value[]): Value | null {
    const held = text(name);
    if (held === noText) return null;
    const known = allowed.find((one) => one === held);
    if (known === undefined) throw new MalformedRowError(`column ${name} holds a value that is not known`);
    return known;
  }
  return {
    text,
    optionalText,
    optionalNumber,
    optionalOneOf,
    number: (name) => optionalNumber(name) ?? 0,
    flag: (name) => value(name, false, isFlag),
    json: (name) => parseJson(name, text(name)),
    oneOf(name, allowed) {
      const held = optionalOneOf(name, allowed);
      if (held === null) throw new MalformedRowError(`column ${name} is empty`);
      return held;
    },
    bytes: (name) => value(name, new Uint8Array(), isBytes),
  };
}

const isText = (held: unknown): held is string => typeof held === 'string';
const isNumber = (held: unknown): held is bigint => typeof held === 'bigint' || typeof held === 'number';
const isFlag = (held: unknown): held is boolean => typeof held === 'boolean';
const isBytes = (held: unknown): held is Uint8Array => held instanceof Uint8Array;

function parseJson<Value>(name: string, text: string): Value | null {
  if (text === noText) return null;
  try {
    return JSON.parse(text) as Value;
  } catch {
    throw new MalformedRowError(`column ${name} is not JSON`);
  }
}
