import { type Connection, signsAssertions } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { OAuthClient } from '../../ports/authorization-server.ts';
import type { Dependencies } from '../dependencies.ts';
import { profileOf } from './profile-of.ts';

/** What making a client of a connection takes. */
export type ClientNeeds = Pick<Dependencies, 'vault' | 'providers' | 'policy'>;

/**
 * A connection as its authorization server knows it, with its client secret and its key from the vault. `fresh` passes
 * the cache by. Throws `vault_unavailable`, and `provider_rejected_client` when one of them is gone.
 */
export async function oauthClient(
  needs: ClientNeeds,
  connection: Connection,
  options: { readonly fresh?: boolean } = {},
): Promise<OAuthClient> {
  const { config, name } = connection;
  const profile = profileOf(needs, config);
  const redirectUri = profile.requests.redirectUri ?? redirectUriOf(needs, name);
  const [clientSecret, signingKey] = await Promise.all([
    clientSecretOf(needs, connection, options),
    signingKeyOf(needs, connection, options),
  ]);
  return { config, profile, redirectUri, clientSecret, signingKey };
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

async function signingKeyOf(
  { vault }: Pick<Dependencies, 'vault'>,
  { config, signingKey }: Connection,
  options: { readonly fresh?: boolean },
): Promise<Secret | null> {
  if (signingKey === null || !signsAssertions(config)) return null;
  const privateJwk = await vault.get(signingKey.ref, options);
  if (privateJwk !== undefined) return privateJwk;
  throw new BrokerError('provider_rejected_client', 'The signing key is missing. Set private_key again.', {
    detail: `the vault has no secret ${signingKey.ref}`,
  });
}
