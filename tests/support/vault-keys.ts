import { randomBytes } from 'node:crypto';
import { parseFernetKey } from '../../src/crypto/fernet.ts';
import { Secret } from '../../src/domain/secret.ts';

const headers = { authorization: 'Bearer test', 'content-type': 'application/json' };
const secretUrl = (vaultUrl: string) => `${vaultUrl}/secrets/oauth-token-encryption-key`;

export interface VaultKey {
  /** What the log and the API call it. */
  readonly id: string;
  readonly version: string;
}

/** Adds an encryption key to a vault, as an operator does: a new version of its secret. */
export async function addVaultKey(vaultUrl: string): Promise<VaultKey> {
  const value = randomBytes(32).toString('base64url');
  const body = JSON.stringify({ value });
  const answer = await fetch(`${secretUrl(vaultUrl)}?api-version=7.6`, { method: 'PUT', headers, body });
  if (!answer.ok) throw new Error(`no key: ${answer.status}`);
  const { id } = (await answer.json()) as { readonly id: string };
  return { id: parseFernetKey(new Secret(value)).id, version: new URL(id).pathname.split('/').at(-1) ?? '' };
}

export async function disableVaultKey(vaultUrl: string, { version }: VaultKey): Promise<void> {
  const body = JSON.stringify({ attributes: { enabled: false } });
  const url = `${secretUrl(vaultUrl)}/${version}?api-version=7.6`;
  const answer = await fetch(url, { method: 'PATCH', headers, body });
  if (!answer.ok) throw new Error(`not disabled: ${answer.status}`);
}
