import type { ConnectionConfig } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Grant, Tokens } from '../../domain/grant.ts';
import { withTokenSet } from '../../domain/grant-transitions.ts';
import type { Secret } from '../../domain/secret.ts';

/** A grant that holds an API key as its token, which never ends. */
export function withApiKey(
  grant: Grant,
  apiKey: Secret,
  now: number,
): { readonly grant: Grant; readonly tokens: Tokens } {
  const tokens = { accessToken: apiKey, tokenType: 'ApiKey', refreshToken: null, account: null, metadata: {} };
  const issued = { tokens, requestedAt: now, expiresAt: null, scopes: null };
  return { grant: withTokenSet(grant, issued, null), tokens };
}

/** Throws `validation_failed` when a connection of that flow must have an API key and gets none, or the reverse. */
export function assertApiKeyFits(
  { flowType }: Pick<ConnectionConfig, 'flowType'>,
  apiKey: Secret | null,
  { isNeeded, why = 'is needed for api_key' }: { readonly isNeeded: boolean; readonly why?: string },
): void {
  if (apiKey !== null && flowType !== 'api_key') throw invalid('is for oauth_flow_type api_key');
  if (apiKey === null && flowType === 'api_key' && isNeeded) throw invalid(why);
}

function invalid(message: string): BrokerError {
  return new BrokerError('validation_failed', `api_key ${message}`, { details: [{ path: 'api_key', message }] });
}
