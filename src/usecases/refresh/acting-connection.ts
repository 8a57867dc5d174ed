import { type Connection, type ConnectionConfig, scopeList } from '../../domain/connection.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';

/** A connection as it gets tokens: by its own flow, or with the client's own credentials in a person's place. */
export type ActingConnection = Connection & { readonly isFallback?: boolean };

/**
 * Whether the client's own credentials are next: the administrator allows it, it is the organisation's grant and no
 * user's, and no refresh token is left that a person gave.
 */
export function needsFallback({ config }: Connection, { key, grant }: Pick<StoredGrant, 'key' | 'grant'>): boolean {
  return config.fallbackClientCredentials && key.userId === null && !grant.hasRefreshToken;
}

/** The connection as the client speaks for itself. It asks for no scope that means something of a person only. */
export function asFallback({ providers }: Pick<Dependencies, 'providers'>, connection: Connection): ActingConnection {
  const { config } = connection;
  const own = config.provider === null ? undefined : providers.get(config.provider)?.scopes.clientDefault;
  const scopes = own ?? withoutPerson(config);
  return { ...connection, isFallback: true, config: { ...config, flowType: 'client_credentials', scopes } };
}

/** OpenID Connect Core, sections 5.4 and 11. */
const scopesOfPersons = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access']);

function withoutPerson({ scopes }: ConnectionConfig): string | null {
  const left = scopeList(scopes).filter((scope) => !scopesOfPersons.has(scope));
  return left.length === 0 ? null : left.join(' ');
}
