/** A refusal in the service's own form. `reason` is its inner error code. */
export class VaultError extends Error {
  readonly status: number;
  readonly code: string;
  readonly reason: string | undefined;

  constructor(status: number, code: string, message: string, reason?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.reason = reason;
  }
}

export function badParameter(message: string): VaultError {
  return new VaultError(400, 'BadParameter', message);
}

export function secretNotFound(name: string): VaultError {
  return new VaultError(404, 'SecretNotFound', `A secret with (name/id) ${name} was not found in this key vault.`);
}

export function errorBody({ code, message, reason }: VaultError): unknown {
  return { error: { code, message, ...(reason === undefined ? {} : { innererror: { code: reason } }) } };
}
