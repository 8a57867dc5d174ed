import type { ApiKeyRecord, Caller } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { OrgId } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Dependencies } from '../dependencies.ts';
import { newApiKey } from './api-key.ts';
import { assertGrantable } from './grantable.ts';
import { callerNotFound, isVisible, type KnownCallers } from './remove-caller.ts';

/**
 * Makes a key of the same organisations, roles and end in place of another, which goes on working for
 * `overlapSeconds` and never beyond its own end. Throws `caller_not_found`, `caller_rotated` when that key has a
 * successor already, `validation_failed` when it has expired, and `role_required` or `organization_forbidden` when it
 * holds more than the rotating caller does.
 */
export type RotateKey = (
  by: Caller,
  rotation: { readonly org: OrgId; readonly keyId: string; readonly overlapSeconds: number },
) => Promise<{ readonly record: ApiKeyRecord; readonly apiKey: Secret }>;

type Needs = KnownCallers & Pick<Dependencies, 'clock' | 'random' | 'digest'>;

export function createRotateKey(needs: Needs): RotateKey {
  const { clock, callers, knownKeys } = needs;
  return async (by, { org, keyId, overlapSeconds }) => {
    const old = await callers.key(keyId);
    if (old === undefined || !isVisible(by, org, old)) throw callerNotFound(keyId);
    assertRotatable(by, old, clock.now());
    const made = newApiKey(needs, { ...old, createdBy: by.id });
    // The new key first: a crash in between leaves one that nobody knows, and the old one as it was.
    await callers.create(made.record);
    const endsAt = clock.now() + overlapSeconds * 1000;
    const isRotated = await callers.changeKey(keyId, ({ rotatedTo, expiresAt }) =>
      rotatedTo === null
        ? { rotatedTo: made.record.keyId, expiresAt: expiresAt === null ? endsAt : Math.min(expiresAt, endsAt) }
        : undefined,
    );
    knownKeys.delete(keyId);
    if (isRotated) return made;
    await callers.removeKey(made.record.keyId);
    throw (await callers.key(keyId)) === undefined ? callerNotFound(keyId) : rotatedAlready();
  };
}

/** Whoever gets the new key in hand gets what it may do, for as long as it lives. */
function assertRotatable(by: Caller, old: ApiKeyRecord, now: number): void {
  if (old.rotatedTo !== null) throw rotatedAlready();
  if (old.expiresAt !== null && old.expiresAt <= now) throw invalid('has expired: make a new key');
  if (by.expiresAt !== null && old.expiresAt === null) throw invalid('lives longer than your own credential');
  assertGrantable(by, old);
}

function rotatedAlready(): BrokerError {
  return new BrokerError('caller_rotated', 'This key has been rotated already. Rotate the one in its rotated_to.');
}

function invalid(message: string): BrokerError {
  return new BrokerError('validation_failed', `The key ${message}.`, { details: [{ path: 'id', message }] });
}
