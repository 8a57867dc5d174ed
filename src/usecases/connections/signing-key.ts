import {
  type ConnectionConfig,
  type ConnectionSigningKey,
  type SigningAlgorithm,
  signsAssertions,
} from '../../domain/connection.ts';
import { BrokerError, type ErrorDetail } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { KeyPair } from '../../ports/signing-keys.ts';
import type { Dependencies } from '../dependencies.ts';
import { profileOf } from './profile-of.ts';

/** What an administrator says of the key that a connection signs with. */
export interface SigningKeyInput {
  /** Undefined: it stays. Null: it goes, and a client that needs one gets a new one. */
  readonly privateKey: Secret | null | undefined;
  /** Null: the provider's, else RS256. */
  readonly algorithm: SigningAlgorithm | null;
}

/** What becomes of a connection's key. */
export type SigningKeyChange =
  | { readonly kind: 'kept' | 'dropped' }
  | { readonly kind: 'new'; readonly id: string; readonly pair: KeyPair };

type Needs = Pick<Dependencies, 'random' | 'providers' | 'signingKeys'>;

/**
 * Decides what becomes of a connection's key, and makes one where `private_key_jwt` needs it and none is given. The id
 * under which the public key is read outlives the key, so that a provider finds the new one. Throws
 * `validation_failed` with what is wrong with the key, or when `jwt_bearer` has none.
 */
export async function changeOfSigningKey(
  needs: Needs,
  config: ConnectionConfig,
  { privateKey, algorithm }: SigningKeyInput,
  current: ConnectionSigningKey | null,
): Promise<SigningKeyChange> {
  if (!signsAssertions(config)) {
    if (privateKey) throw invalid('private_key', 'is for client_auth private_key_jwt and for jwt_bearer');
    if (algorithm !== null) throw invalid('signing_algorithm', 'is for client_auth private_key_jwt and for jwt_bearer');
    return { kind: current === null ? 'kept' : 'dropped' };
  }
  if (privateKey === undefined && current !== null) {
    if (algorithm === null || algorithm === current.publicJwk.alg) return { kind: 'kept' };
    throw invalid('signing_algorithm', 'changes with private_key only: give it, or null for a new key');
  }
  const id = current?.id ?? needs.random.id();
  const wanted = algorithm ?? profileOf(needs, config).jwt?.algorithm ?? null;
  const isPublished = config.clientAuth === 'private_key_jwt';
  const kid = needs.random.id();
  if (privateKey) {
    const pair = needs.signingKeys.read(privateKey, { algorithm: wanted, kid: isPublished ? kid : null });
    return { kind: 'new', id, pair };
  }
  if (config.flowType === 'jwt_bearer') throw invalid('private_key', 'is needed for jwt_bearer');
  return { kind: 'new', id, pair: await needs.signingKeys.generate(wanted ?? 'RS256', kid) };
}

/** Keeps a new key, by a function that puts a secret into the vault. Resolves to what the connection knows of it. */
export async function keepSigningKey(
  change: SigningKeyChange,
  keep: (secret: Secret) => Promise<string>,
): Promise<ConnectionSigningKey | null> {
  if (change.kind !== 'new') return null;
  const { id, pair } = change;
  return { id, publicJwk: pair.publicJwk, ref: await keep(pair.privateJwk) };
}

function invalid(path: string, message: string): BrokerError {
  const details: ErrorDetail[] = [{ path, message }];
  return new BrokerError('validation_failed', `${path} ${message}`, { details });
}
