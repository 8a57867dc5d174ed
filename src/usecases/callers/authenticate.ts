import { type Caller, type CallerRecord, everyOrganisation, roles } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Cache } from '../../ports/cache.ts';
import type { Dependencies } from '../dependencies.ts';
import { keyIdOf } from './api-key.ts';

export type Authenticate = (apiKey: Secret | undefined) => Promise<Caller>;

type Needs = Pick<Dependencies, 'clock' | 'digest' | 'callers' | 'policy'> & {
  /** Lives at most a minute: a deleted key stops working everywhere within that. */
  readonly known: Cache<CallerRecord>;
};

const bootstrapCaller: Caller = {
  id: 'bootstrap',
  name: 'first administrator',
  orgIds: [everyOrganisation],
  roles,
  expiresAt: null,
};

/**
 * Says who presents an API key. Keys are compared by their SHA-256, which tells nothing about the key by the time it
 * takes. Throws `unauthenticated`, whatever is wrong with the key.
 */
export function createAuthenticate({ clock, digest, callers, policy, known }: Needs): Authenticate {
  return async (apiKey) => {
    const text = apiKey?.reveal();
    const keyId = text === undefined ? undefined : keyIdOf(text);
    if (text === undefined || keyId === undefined) throw unauthenticated();
    const sha256 = digest.sha256Hex(text);
    if (sha256 === policy.bootstrapAdminKeySha256) return bootstrapCaller;
    const remembered = known.get(keyId);
    const record = remembered ?? (await callers.get(keyId));
    if (record === undefined || record.secretSha256 !== sha256) throw unauthenticated();
    if (record.expiresAt !== null && record.expiresAt <= clock.now()) throw unauthenticated();
    // Set anew at each use, it would outlive its minute.
    if (remembered === undefined) known.set(keyId, record);
    return record;
  };
}

function unauthenticated(): BrokerError {
  return new BrokerError('unauthenticated', 'Send a valid API key: Authorization: Bearer <key>, or x-api-key: <key>.');
}
