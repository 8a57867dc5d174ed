import { BrokerError } from '../../domain/errors.ts';
import type { Dependencies } from '../dependencies.ts';
import type { ConnectionQuery } from './find-connection.ts';

export interface PublicKeysQuery extends ConnectionQuery {
  readonly keyId: string;
}

/** RFC 7517 section 5. */
export type GetPublicKeys = (
  query: PublicKeysQuery,
) => Promise<{ readonly keys: readonly Readonly<Record<string, string>>[] }>;

/**
 * The public key that a connection signs with, for its provider: by one point read, and no secret is touched. Throws
 * `connection_not_found`, the same for a wrong id as for a connection that is not there.
 */
export function createGetPublicKeys({ connections }: Pick<Dependencies, 'connections'>): GetPublicKeys {
  return async ({ org, name, keyId }) => {
    const key = (await connections.get({ org, name }))?.connection.signingKey;
    if (key?.id !== keyId) throw new BrokerError('connection_not_found', 'There are no keys at this address.');
    return { keys: [key.publicJwk] };
  };
}
