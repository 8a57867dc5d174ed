/** Structured log lines. `event` is a fixed name; fields are data. A `Secret` among the fields prints as `[secret]`. */
export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** Runs some work whose lines all carry these fields. */
  within<Result>(fields: LogFields, work: () => Promise<Result>): Promise<Result>;
}

export type LogFields = Readonly<Record<string, unknown>>;
