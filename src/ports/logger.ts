/** Structured log lines. `event` is a fixed name; fields are data. A `Secret` among the fields prints as `[secret]`. */
export interface Logger {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;
