import { hasCode } from '../../domain/errors.ts';
import { findConnection } from '../connections/find-connection.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Credentials, CredentialsRequest } from './credentials.ts';

type Needs = Pick<Dependencies, 'connections' | 'vault' | 'logger'>;

/**
 * The API key that a connection falls back to, last of all: only where somebody would have to act before there is a
 * token. Where time heals (`provider_unavailable`, `refresh_in_progress`) nothing is served in its place, and a user
 * gets no key of the organisation. Undefined: there is none to serve. Throws `vault_unavailable`.
 */
export async function apiKeyInstead(
  needs: Needs,
  request: CredentialsRequest,
  failure: unknown,
): Promise<Credentials | undefined> {
  if (request.userId !== null || !hasCode(failure, 'connection_not_ready', 'grant_unreadable')) return undefined;
  const { connection } = await findConnection(needs, request);
  const { fallbackApiKeyRef, config, org, name } = connection;
  if (fallbackApiKeyRef === null) return undefined;
  const key = await needs.vault.get(fallbackApiKeyRef);
  if (key === undefined) {
    needs.logger.error('fallback_api_key_missing', { org, connection: name, reference: fallbackApiKeyRef });
    return undefined;
  }
  needs.logger.info('fallback_api_key_served', { org, connection: name, code: failure.code });
  return {
    connection: name,
    org,
    userId: null,
    accessToken: key,
    tokenType: 'ApiKey',
    expiresAt: null,
    scopes: config.scopes,
    method: 'api_key',
    metadata: {},
  };
}
