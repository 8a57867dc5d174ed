import type { ConnectionConfig } from '../../domain/connection.ts';
import type { Dependencies } from '../dependencies.ts';

const serverDigits = 12;

/**
 * A new name for the endpoints, client and scopes of a connection: a digest of the token endpoint's origin, then a
 * random id. By the first part the sweep deals out the grants of one authorization server together, without reading
 * their connections.
 */
export function newEndpointsId(
  { random, digest }: Pick<Dependencies, 'random' | 'digest'>,
  { endpoints }: ConnectionConfig,
): string {
  // A connection that only keeps an API key has no server.
  const server = endpoints.tokenUrl === '' ? '' : new URL(endpoints.tokenUrl).origin;
  return `${digest.sha256Hex(server).slice(0, serverDigits)}.${random.id()}`;
}
