import { randomBytes } from 'node:crypto';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';
import { type Composition, compose } from '../../src/composition.ts';
import { loadSettings } from '../../src/settings.ts';
import { type BenchProcess, startBenchProcess } from './child-process.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';

/** A broker in this process, whose table requests are counted. */
export interface BenchBroker {
  readonly composition: Composition;
  readonly tables: CountingProxy;
  /** Puts the broker's clock forward. */
  advance(milliseconds: number): void;
  stop(): Promise<void>;
}

/** What two processes beside this one run. */
export interface BenchServices {
  /** Of the emulated storage. */
  readonly connectionString: string;
  readonly vaultUrl: string;
  /** Seconds of the processor that each of the two has taken so far. */
  cpuSeconds(): Promise<{ readonly storage: number; readonly vault: number }>;
  stop(): Promise<void>;
}

export interface BenchBrokerOptions {
  /** Keeps the tables of several brokers on one storage apart. */
  readonly prefix: string;
  /** The encryption key, for brokers that share tables. Default: a new one. */
  readonly encryptionKey?: string;
  /** How far the broker's clock is ahead at first. Default: not at all. */
  readonly aheadMs?: number;
  /** Whether table requests go through the counting proxy. Default: they do. */
  readonly isCounted?: boolean;
}

/** Starts one of the services in a process of its own. */
export function startService<Started>(
  service: 'storage' | 'vault' | 'authorizationServer',
): Promise<BenchProcess<Started>> {
  return startBenchProcess<Started>(new URL('./services-process.ts', import.meta.url), service);
}

export async function startBenchServices(): Promise<BenchServices> {
  const [storage, vault] = await Promise.all([
    startService<{ readonly connectionString: string }>('storage'),
    startService<{ readonly url: string }>('vault'),
  ]);
  return {
    connectionString: storage.started.connectionString,
    vaultUrl: vault.started.url,
    cpuSeconds: async () => ({ storage: await storage.cpuSeconds(), vault: await vault.cpuSeconds() }),
    stop: async () => {
      await Promise.all([storage.stop(), vault.stop()]);
    },
  };
}

export function newEncryptionKey(): string {
  return randomBytes(32).toString('base64url');
}

export async function startBenchBroker(
  services: Pick<BenchServices, 'connectionString' | 'vaultUrl'>,
  { prefix, encryptionKey = newEncryptionKey(), isCounted = true, ...options }: BenchBrokerOptions,
): Promise<BenchBroker> {
  const endpoint = /TableEndpoint=([^;]+)/.exec(services.connectionString)?.[1] ?? '';
  const tables = await startCountingProxy(endpoint);
  const settings = loadSettings({
    OAuthStorage: services.connectionString.replace(
      new URL(endpoint).origin,
      isCounted ? tables.url : new URL(endpoint).origin,
    ),
    AZURE_KEY_VAULT_URL: services.vaultUrl,
    OAUTH_TOKEN_ENCRYPTION_KEY: encryptionKey,
    PUBLIC_BASE_URL: 'http://127.0.0.1:7071',
    ALLOW_INSECURE_LOOPBACK: 'true',
    TABLE_PREFIX: prefix,
    CREDENTIAL_CACHE_SECONDS: '0',
  });
  let { aheadMs = 0 } = options;
  const clock = createSystemClock({ now: () => Date.now() + aheadMs });
  // Storage's clock would put ours right again.
  const composition = compose(settings, () => {}, { clock: { ...clock, correct: () => {} } });
  await composition.createTables();
  return {
    composition,
    tables,
    advance: (milliseconds) => {
      aheadMs += milliseconds;
    },
    stop: async () => {
      await composition.close();
      await tables.stop();
    },
  };
}
