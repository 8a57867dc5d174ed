import type { ApiKeyRecord } from '../../domain/caller.ts';
import { Secret } from '../../domain/secret.ts';
import type { Dependencies } from '../dependencies.ts';

const pattern = /^bwl_([0-9a-f]{16,32})_[A-Za-z0-9_-]{43}$/;
const secretBytes = 32;

/** Whether a credential is meant as an API key, well formed or not. */
export function isApiKey(text: string): boolean {
  return text.startsWith('bwl_');
}

/** The id in an API key, or undefined when the text is none. */
export function keyIdOf(apiKey: string): string | undefined {
  return pattern.exec(apiKey)?.[1];
}

type NewKey = Pick<ApiKeyRecord, 'name' | 'orgIds' | 'roles' | 'expiresAt' | 'createdBy'>;

/** Makes an API key, `bwl_{id, hex}_{256 random bits, base64url}`, and what is kept of it. */
export function newApiKey(
  { clock, random, digest }: Pick<Dependencies, 'clock' | 'random' | 'digest'>,
  { name, orgIds, roles, expiresAt, createdBy }: NewKey,
): { readonly record: ApiKeyRecord; readonly apiKey: Secret } {
  const keyId = random.id();
  const apiKey = new Secret(`bwl_${keyId}_${random.token(secretBytes)}`);
  const record: ApiKeyRecord = {
    kind: 'api_key',
    id: keyId,
    keyId,
    name,
    orgIds,
    roles,
    expiresAt,
    secretSha256: digest.sha256Hex(apiKey.reveal()),
    createdAt: clock.now(),
    createdBy,
    lastUsedAt: null,
    rotatedTo: null,
  };
  return { record, apiKey };
}
