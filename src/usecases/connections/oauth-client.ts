import type { Connection } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { Dependencies } from '../dependencies.ts';
import { profileOf } from './profile-of.ts';

/** What making a client of a connection takes. */
export type ClientNeeds = Pick<Dependencies, 'vault' | 'providers' | 'policy'>;

/**
 * A connection as its authorization server knows it, with its client secret from the vault. `fresh` passes the cache
 * by. Throws `vault_unavailable`, and `provider_rejected_client` when the secret is gone.
 */
export async function oauthClient(
  needs: ClientNeeds,
  connection: Connection,
  options: { readonly fresh?: boolean } = {},
): Promise<OAuthClient> {
  const { config, name } = connection;
  const profile = profileOf(needs, config);
  const redirectUri = profile.requests.redirectUri ?? redirectUriOf(needs, name);
  return { config, profile, redirectUri, clientSecret: await clientSecretOf(needs, connection, options) };
}

/** Bowline's own address for the callbacks of a connection. */
export function redirectUriOf({ policy }: Pick<Dependencies, 'policy'>, name: string): string {
  return `${policy.publicBaseUrl}/api/oauth/callback/${name}`;
}

async function clientSecretOf(
  { vault }: Pick<Dependencies, 'vault'>,
  { clientSecretRef }: Connection,
  options: { readonly fresh?: boolean },
): Promise<Secret | null> {
  if (clientSecretRef === null) return null;
  const clientSecret = await vault.get(clientSecretRef, options);
  if (clientSecret !== undefined) return clientSecret;
  throw new BrokerError('provider_rejected_client', 'The client secret is missing. Set client_secret again.', {
    detail: `the vault has no secret ${clientSecretRef}`,
  });
}
