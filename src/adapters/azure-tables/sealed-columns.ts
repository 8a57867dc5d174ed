import { KeyringError, type Opened, UnreadablePayloadError } from '../../crypto/keyring.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Columns } from './columns.ts';

/** What seals and opens: `crypto/keyring.ts`. */
export interface SealingKeyring {
  seal(plaintext: Uint8Array): Promise<Uint8Array>;
  openNamed(sealed: Uint8Array): Promise<Opened>;
  keyIds(): Promise<readonly string[]>;
  reload(): Promise<readonly string[]>;
}

/** A payload that was opened, and by which key. */
export interface OpenedJson extends Opened {
  readonly json: unknown;
}

const chunkBytes = 65_536;

/** The names of the columns that hold a sealed payload of up to `count` times 64 KiB. */
export function sealedColumnNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `sealed_${index}`);
}

/**
 * Cuts a sealed payload, or none, into columns. Every column is written, so that nothing of an earlier, longer payload
 * stays behind.
 */
export function toSealedColumns(sealed: Uint8Array | null, names: readonly string[]): Columns {
  const bytes = sealed ?? new Uint8Array();
  if (bytes.byteLength > names.length * chunkBytes) throw new RangeError('the sealed payload does not fit its columns');
  const chunks = names.map((name, index) => [name, bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes)]);
  return Object.fromEntries(chunks);
}

/** Puts a sealed payload together again. Null when there is none. */
export function fromSealedColumns(columns: Columns, names: readonly string[]): Uint8Array | null {
  const chunks = names.map((name) => columns[name]).filter((chunk) => chunk instanceof Uint8Array);
  const sealed = Buffer.concat(chunks);
  return sealed.byteLength === 0 ? null : sealed;
}

/** Seals JSON. Throws `misconfigured` when the keys cannot be used, `vault_unavailable` when they cannot be read. */
export function sealJson(keyring: SealingKeyring, json: unknown): Promise<Uint8Array> {
  return sealBytes(keyring, Buffer.from(JSON.stringify(json)));
}

/** Seals what was opened before, to the byte. Throws as `sealJson`. */
export async function sealBytes(keyring: SealingKeyring, plaintext: Uint8Array): Promise<Uint8Array> {
  try {
    return await keyring.seal(plaintext);
  } catch (error) {
    throw toBrokerError(error);
  }
}

/** Opens what `sealJson` sealed. Throws `grant_unreadable` when no key opens it, and as `sealJson` otherwise. */
export async function openJson(keyring: SealingKeyring, sealed: Uint8Array): Promise<OpenedJson> {
  try {
    const opened = await keyring.openNamed(sealed);
    return { ...opened, json: JSON.parse(Buffer.from(opened.plaintext).toString()) };
  } catch (error) {
    throw toBrokerError(error);
  }
}

/** The id of the key that seals; `fresh`: of the keys as they are kept now. Throws as `sealJson`. */
export async function sealingKeyId(keyring: SealingKeyring, { fresh = false } = {}): Promise<string> {
  try {
    const [first = ''] = fresh ? await keyring.reload() : await keyring.keyIds();
    return first;
  } catch (error) {
    throw toBrokerError(error);
  }
}

/** For a payload that is not what its place says, whatever the reason: `detail` is for the log alone. */
export function unreadable(detail: string): BrokerError {
  return new BrokerError('grant_unreadable', 'The stored tokens cannot be read. Authorize the connection again.', {
    detail,
  });
}

function toBrokerError(error: unknown): unknown {
  if (error instanceof UnreadablePayloadError) return unreadable(`sealed payload: ${error.reason}`);
  if (error instanceof SyntaxError) return unreadable('sealed payload: not JSON');
  if (error instanceof KeyringError) {
    return new BrokerError('misconfigured', 'The encryption keys cannot be used.', { detail: error.message });
  }
  return error;
}
