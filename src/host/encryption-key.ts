import { randomBytes } from 'node:crypto';
import type { Home } from './home.ts';
import { StartFailure } from './start-failure.ts';

/** A Fernet key: https://github.com/fernet/spec. */
const fernetKeyBytes = 32;
const apiVersion = '7.6';

/**
 * Puts an encryption key into the home's vault where it never had one of that name. Throws `StartFailure` when the
 * vault had one and has lost it: a new one would not open what the old one sealed.
 */
export async function ensureEncryptionKey(home: Home, vaultUrl: string, secretName: string): Promise<void> {
  const secretUrl = `${vaultUrl}/secrets/${secretName}?api-version=${apiVersion}`;
  const headers = { authorization: 'Bearer embedded-host', 'content-type': 'application/json' };
  const found = await fetch(secretUrl, { headers });
  await found.body?.cancel();
  if (found.status === 404) {
    if (home.state.encryption_key_secret === secretName) {
      throw new StartFailure(`${home.path('vault')} has lost the secret ${secretName}. Restore it from a backup.`);
    }
    const body = JSON.stringify({ value: fernetKey() });
    const written = await fetch(secretUrl, { method: 'PUT', headers, body });
    await written.body?.cancel();
    if (!written.ok) throw new StartFailure(`The vault does not take the secret ${secretName} (${written.status}).`);
  }
  if (home.state.encryption_key_secret !== secretName) home.save({ encryption_key_secret: secretName });
}

/** Base64url with its padding, as every Fernet library writes it. */
function fernetKey(): string {
  return randomBytes(fernetKeyBytes).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}
