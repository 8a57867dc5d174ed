import type { Connection } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { Dependencies } from '../dependencies.ts';

/**
 * A connection with its client secret from the vault. `fresh` passes the cache by. Throws `vault_unavailable`, and
 * `provider_rejected_client` when the secret is gone.
 */
export async function oauthClient(
  { vault }: Pick<Dependencies, 'vault'>,
  { config, clientSecretRef }: Connection,
  options: { readonly fresh?: boolean } = {},
): Promise<OAuthClient> {
  if (clientSecretRef === null) return { config, clientSecret: null };
  const clientSecret = await vault.get(clientSecretRef, options);
  if (clientSecret === undefined) {
    throw new BrokerError('provider_rejected_client', 'The client secret is missing. Set client_secret again.', {
      detail: `the vault has no secret ${clientSecretRef}`,
    });
  }
  return { config, clientSecret };
}
