import type { Secret } from '../domain/secret.ts';
import { FernetError, type FernetKey, fernetVersion, openFernet, parseFernetKey, sealFernet } from './fernet.ts';

/** Keys that anybody can look up, by fingerprint. */
const worldKnownKeys: ReadonlySet<string> = new Set([
  // The Fernet specification's test vectors.
  'd88a2cb53b61ef4d6fe8923a89129d437a293f6cd1a951ff09b94f971a88d585',
  // Apache Airflow's examples and the container images made from them.
  '45f9af60db8dc522a2d2f8d302f80d4eab1452fb4ad437bbe4f6fb819608efcc',
  '81886cc4d79074f6e946934d4e9e9d6a2ef320041045a0bd3c36ab6939df37e8',
]);

export type UnreadableReason = 'no_key' | 'unknown_format';

/**
 * No key of the ring opens the payload, or its first byte names a format that this version does not know. Both read
 * the same; `reason` is for the log.
 */
export class UnreadablePayloadError extends Error {
  override readonly name = 'UnreadablePayloadError';
  readonly reason: UnreadableReason;

  constructor(reason: UnreadableReason) {
    super('The sealed payload cannot be opened.');
    this.reason = reason;
  }
}

/** The keys as they were loaded cannot be used. Keys are named by position and id, never by text. */
export class KeyringError extends Error {
  override readonly name = 'KeyringError';
}

export interface Opened {
  readonly plaintext: Uint8Array;
  /** The id of the key that opened the payload. */
  readonly keyId: string;
}

/** Seals with the first key, opens with any, as MultiFernet does. Every method loads the keys when none are loaded. */
export interface Keyring {
  /**
   * Seals with the first key. A process that was idle must not seal with a key that has left the ring meanwhile: keys
   * older than one and a half times `reloadAfterMs` are read again first, where that succeeds.
   */
  seal(plaintext: Uint8Array): Promise<Uint8Array>;
  /**
   * Opens a sealed payload. Rejects with `UnreadablePayloadError` when no key opens it, and with the error of `load`
   * when the keys could not be read again to be sure of that.
   */
  open(sealed: Uint8Array): Promise<Uint8Array>;
  /** As `open`, and tells which key opened it. */
  openNamed(sealed: Uint8Array): Promise<Opened>;
  /** Ids of the loaded keys, safe to log: the first one seals. */
  keyIds(): Promise<readonly string[]>;
  /** Reads the keys now, by a reading that begins after this call. Resolves to their ids; rejects with the error of `load`. */
  reload(): Promise<readonly string[]>;
}

export interface KeyringOptions {
  /** Reads the keys from where they are kept, the one that seals first. */
  readonly load: () => Promise<readonly Secret[]>;
  readonly clock: { now(): number };
  /** As many cryptographically secure random bytes as asked for. */
  readonly randomBytes: (size: number) => Uint8Array;
  /** Loaded keys older than this are read again in the background. Default: 10 minutes. */
  readonly reloadAfterMs?: number;
  /** The least time between two readings that a payload which no key opens asks for, and between background tries. */
  readonly missReloadMinMs?: number;
  /** Told of a reading in the background that failed: the keys loaded before stay in use. */
  readonly onReloadFailed?: (error: unknown) => void;
}

/**
 * Makes a key ring. Missing, malformed, duplicate, placeholder and world-known keys are refused: at the first load
 * `seal` and `open` then reject with `KeyringError`, and the next call tries again.
 */
export function createKeyring(options: KeyringOptions): Keyring {
  const loader = createLoader(options);

  async function openNamed(sealed: Uint8Array): Promise<Opened> {
    if (sealed[0] !== fernetVersion) {
      throw new UnreadablePayloadError('unknown_format');
    }
    const ring = await loader.current();
    const opened = tryKeys(ring, sealed);
    if (opened !== undefined) {
      return opened;
    }
    const reloaded = await loader.afterMiss(ring);
    const openedNow = reloaded === ring ? undefined : tryKeys(reloaded, sealed);
    if (openedNow === undefined) {
      throw new UnreadablePayloadError('no_key');
    }
    return openedNow;
  }

  return {
    async seal(plaintext) {
      const [key] = await loader.forSealing();
      const timeSeconds = Math.floor(options.clock.now() / 1000);
      return sealFernet(key, plaintext, { timeSeconds, iv: options.randomBytes(16) });
    },
    async open(sealed) {
      return (await openNamed(sealed)).plaintext;
    },
    openNamed,
    async keyIds() {
      return (await loader.current()).map((key) => key.id);
    },
    async reload() {
      return (await loader.afresh()).map((key) => key.id);
    },
  };
}

type Ring = readonly [FernetKey, ...FernetKey[]];

interface Loader {
  current(): Promise<Ring>;
  /** The loaded ring, unless it is so old that it is worth waiting for the next one. */
  forSealing(): Promise<Ring>;
  /** A ring that was read after the call. */
  afresh(): Promise<Ring>;
  /** The ring to try after `tried` opened nothing: a newer one, or `tried` itself when it was read just now. */
  afterMiss(tried: Ring): Promise<Ring>;
}

function createLoader({
  load,
  clock,
  reloadAfterMs = 10 * 60_000,
  missReloadMinMs = 30_000,
  onReloadFailed = () => {},
}: KeyringOptions): Loader {
  let loaded: { readonly ring: Ring; readonly atMs: number } | undefined;
  let loading: Promise<Ring> | undefined;
  let lastFailure: { readonly error: unknown } | undefined;
  let lastBackgroundMs = Number.NEGATIVE_INFINITY;
  let lastMissMs = Number.NEGATIVE_INFINITY;

  async function readOnce(): Promise<Ring> {
    try {
      const ring = await readRing(load);
      loaded = { ring, atMs: clock.now() };
      lastFailure = undefined;
      return ring;
    } catch (error) {
      lastFailure = { error };
      throw error;
    } finally {
      loading = undefined;
    }
  }

  function reload(): Promise<Ring> {
    loading ??= readOnce();
    return loading;
  }

  async function current(): Promise<Ring> {
    if (loaded === undefined) {
      return reload();
    }
    const nowMs = clock.now();
    if (nowMs - loaded.atMs >= reloadAfterMs && nowMs - lastBackgroundMs >= missReloadMinMs) {
      lastBackgroundMs = nowMs;
      reload().catch(onReloadFailed);
    }
    return loaded.ring;
  }

  return {
    current,
    async forSealing() {
      const ring = await current();
      const isOld = loaded !== undefined && clock.now() - loaded.atMs >= 1.5 * reloadAfterMs;
      // `current` has begun a reading, unless one has failed just now.
      return isOld && loading !== undefined ? loading.catch(() => ring) : ring;
    },
    async afresh() {
      // One that is under way may have read before the caller's key was there.
      await loading?.catch(() => {});
      return reload();
    },
    async afterMiss(tried) {
      if (loaded !== undefined && loaded.ring !== tried) {
        return loaded.ring;
      }
      const nowMs = clock.now();
      if (loading === undefined && nowMs - lastMissMs < missReloadMinMs) {
        // A vault that is down must not make a payload look unreadable.
        if (lastFailure !== undefined) {
          throw lastFailure.error;
        }
        return tried;
      }
      if (loading === undefined) {
        lastMissMs = nowMs;
      }
      return reload();
    },
  };
}

async function readRing(load: KeyringOptions['load']): Promise<Ring> {
  const [first, ...others] = (await load()).map(parseKeyAt);
  if (first === undefined) {
    throw new KeyringError('There is no encryption key.');
  }
  const seen = new Set<string>();
  for (const [at, key] of [first, ...others].entries()) {
    if (worldKnownKeys.has(key.fingerprint)) {
      throw new KeyringError(`Encryption key ${at + 1} (${key.id}) is public: generate a random one.`);
    }
    if (seen.has(key.fingerprint)) {
      throw new KeyringError(`Encryption key ${at + 1} (${key.id}) is there twice.`);
    }
    seen.add(key.fingerprint);
  }
  return [first, ...others];
}

function parseKeyAt(text: Secret, at: number): FernetKey {
  try {
    return parseFernetKey(text);
  } catch (error) {
    throw error instanceof FernetError ? new KeyringError(`Encryption key ${at + 1}: ${error.message}`) : error;
  }
}

function tryKeys(ring: Ring, sealed: Uint8Array): Opened | undefined {
  for (const key of ring) {
    try {
      return { plaintext: openFernet(key, sealed), keyId: key.id };
    } catch (error) {
      if (!(error instanceof FernetError)) {
        throw error;
      }
    }
  }
  return undefined;
}
