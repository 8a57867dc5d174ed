import { randomBytes } from 'node:crypto';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';
import { type Composition, compose } from '../../src/composition.ts';
import { loadSettings } from '../../src/settings.ts';
import { startBenchProcess } from './child-process.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';

/** A broker in this process, whose table requests are counted. */
export interface BenchBroker {
  readonly composition: Composition;
  readonly tables: CountingProxy;
  /** Puts the broker's clock forward. */
  advance(milliseconds: number): void;
  stop(): Promise<void>;
}

interface Storage {
  readonly connectionString: string;
}

interface OtherServices {
  readonly vaultUrl: string;
  /** Of a real authorization server, whose client may get tokens with its own credentials. */
  readonly tokenUrl: string;
  readonly client: { readonly clientId: string; readonly clientSecret: string };
}

/** What two processes beside this one run. */
export interface BenchServices extends Storage, OtherServices {
  /** Seconds of the processor that each of the two has taken so far. */
  cpuSeconds(): Promise<{ readonly storage: number; readonly services: number }>;
  stop(): Promise<void>;
}

export async function startBenchServices(): Promise<BenchServices> {
  const [storage, services] = await Promise.all([
    startBenchProcess<Storage>('storage'),
    startBenchProcess<OtherServices>('services'),
  ]);
  return {
    ...storage.started,
    ...services.started,
    cpuSeconds: async () => ({ storage: await storage.cpuSeconds(), services: await services.cpuSeconds() }),
    stop: async () => {
      await Promise.all([storage.stop(), services.stop()]);
    },
  };
}

/** `prefix` keeps the tables of several brokers on one storage apart. */
export async function startBenchBroker(
  services: BenchServices,
  prefix: string,
  { isCounted = true } = {},
): Promise<BenchBroker> {
  const endpoint = /TableEndpoint=([^;]+)/.exec(services.connectionString)?.[1] ?? '';
  const tables = await startCountingProxy(endpoint);
  const settings = loadSettings({
    OAuthStorage: services.connectionString.replace(
      new URL(endpoint).origin,
      isCounted ? tables.url : new URL(endpoint).origin,
    ),
    AZURE_KEY_VAULT_URL: services.vaultUrl,
    OAUTH_TOKEN_ENCRYPTION_KEY: randomBytes(32).toString('base64url'),
    PUBLIC_BASE_URL: 'http://127.0.0.1:7071',
    ALLOW_INSECURE_LOOPBACK: 'true',
    TABLE_PREFIX: prefix,
    CREDENTIAL_CACHE_SECONDS: '0',
  });
  let aheadMs = 0;
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
