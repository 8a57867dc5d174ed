import type { ConnectionKey } from '../../domain/connection.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Dependencies } from '../dependencies.ts';

type Needs = Pick<Dependencies, 'random' | 'vault'>;

/**
 * Puts a secret of a connection into the vault under a new random name and resolves to that name. A name is never used twice,
 * so that deleting an old secret late cannot hit a new one.
 */
export async function keepClientSecret({ random, vault }: Needs, key: ConnectionKey, secret: Secret): Promise<string> {
  const reference = `bowline-${random.id()}`;
  await vault.put(reference, secret, { organisation: key.org, connection: key.name });
  return reference;
}

/** Deletes a secret that nothing refers to any more. Never throws: a secret left behind harms nobody. */
export async function dropClientSecret(
  { vault, logger }: Pick<Dependencies, 'vault' | 'logger'>,
  reference: string | null,
): Promise<void> {
  if (reference === null) return;
  await vault
    .remove(reference)
    .catch((cause: unknown) => logger.warn('client_secret_left_in_vault', { reference, cause }));
}
