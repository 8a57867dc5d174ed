import {
  type ApiKeyRecord,
  type Caller,
  everyOrganisation,
  expired,
  roles,
  unauthenticated,
} from '../../domain/caller.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Cache } from '../../ports/cache.ts';
import type { Dependencies } from '../dependencies.ts';
import { keyIdOf } from './api-key.ts';

export type KeyNeeds = Pick<Dependencies, 'clock' | 'digest' | 'callers' | 'logger' | 'policy'> & {
  /** Lives less than a minute: a deleted key stops working everywhere within that. Refusals are not remembered. */
  readonly knownKeys: Cache<ApiKeyRecord>;
  /** Keys whose use this process has recorded within a day. */
  readonly recordedUses: Cache<number>;
};

const bootstrapCaller: Caller = {
  kind: 'api_key',
  id: 'bootstrap',
  name: 'first administrator',
  orgIds: [everyOrganisation],
  roles,
  expiresAt: null,
};

const dayMs = 24 * 3600 * 1000;

/** Says whose an API key is. Keys are compared by their SHA-256. Throws `unauthenticated`. */
export function createAuthenticateKey(needs: KeyNeeds): (apiKey: Secret) => Promise<Caller> {
  const { clock, digest, callers, policy, knownKeys } = needs;
  return async (apiKey) => {
    const keyId = keyIdOf(apiKey.reveal());
    if (keyId === undefined) throw unauthenticated('a malformed API key');
    const sha256 = digest.sha256Hex(apiKey.reveal());
    const { bootstrapAdminKeySha256 } = policy;
    if (bootstrapAdminKeySha256 !== undefined && digest.isSame(sha256, bootstrapAdminKeySha256)) return bootstrapCaller;
    const remembered = knownKeys.get(keyId);
    const record = remembered ?? (await callers.key(keyId));
    if (record === undefined || !digest.isSame(record.secretSha256, sha256)) throw unauthenticated('no such API key');
    if (record.expiresAt !== null && record.expiresAt <= clock.now()) throw expired(record, 'an expired API key');
    // Set anew at each use, it would outlive its minute.
    if (remembered === undefined) knownKeys.set(keyId, record);
    recordUse(needs, record);
    return record;
  };
}

/** Once a day and process, and nobody waits for it: a use that is not recorded does no harm. */
function recordUse({ clock, callers, logger, recordedUses }: KeyNeeds, { keyId, lastUsedAt }: ApiKeyRecord): void {
  const now = clock.now();
  const isRecent = (at: number | null) => at !== null && now - at < dayMs;
  if (isRecent(lastUsedAt) || recordedUses.get(keyId) !== undefined) return;
  recordedUses.set(keyId, now);
  callers
    .changeKey(keyId, (current) => (isRecent(current.lastUsedAt) ? undefined : { lastUsedAt: now }))
    .catch((cause) => logger.warn('key_use_not_recorded', { caller: keyId, cause }));
}
