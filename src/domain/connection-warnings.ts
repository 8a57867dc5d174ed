import type { Connection } from './connection.ts';
import type { Grant } from './grant.ts';

export const warningCodes = [
  'client_secret_missing',
  'client_secret_expires',
  'client_secret_expired',
  'fallback_in_use',
] as const;

export interface ConnectionWarning {
  readonly code: (typeof warningCodes)[number];
  readonly message: string;
}

const dayMs = 24 * 60 * 60 * 1000;
const warnedBeforeMs = 30 * dayMs;

/** What somebody should see to before it fails. */
export function warningsOf(connection: Connection, grant: Grant, now: number): ConnectionWarning[] {
  const secret = secretWarning(connection, now);
  const message = 'Nobody has authorized this connection: the client’s own credentials serve in their place.';
  return [
    ...(secret === null ? [] : [secret]),
    ...(grant.isFallback ? [{ code: 'fallback_in_use', message } as const] : []),
  ];
}

/** When the client secret is missing, as after an import; and from 30 days before it ends, as far as that is known. */
export function secretWarning({ config, clientSecretRef }: Connection, now: number): ConnectionWarning | null {
  const { clientSecretExpiresAt: at, clientAuth } = config;
  if (clientSecretRef === null && clientAuth.startsWith('client_secret')) {
    return {
      code: 'client_secret_missing',
      message: `The connection has no client secret, which ${clientAuth} needs.`,
    };
  }
  if (at === null || clientSecretRef === null || at - now > warnedBeforeMs) return null;
  const date = new Date(at).toISOString();
  if (at <= now)
    return { code: 'client_secret_expired', message: `The client secret ended at ${date}. Set a new one.` };
  const days = Math.ceil((at - now) / dayMs);
  return {
    code: 'client_secret_expires',
    message: `The client secret ends in ${days} day(s), at ${date}. Set a new one.`,
  };
}
