import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, inject } from 'vitest';
import { startAzurite } from '../../../src/host/services/azurite/index.ts';
import { type KeyVaultEmulator, startKeyVaultEmulator } from '../../../src/host/services/key-vault/index.ts';
import { endProcess, type HostProcess } from '../../unit/host/host-process.ts';
import { type ChaosHost, launchHost } from './chaos-host.ts';
import { createGrantDesk, type GrantDesk } from './grants.ts';
import { createHistory, type History } from './history.ts';
import { type Provider, type ProviderClass, startProvider } from './provider.ts';
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';
import { describeTableRequest } from './requests.ts';
import { createSeededRandom, type SeededRandom } from './seeded-random.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Repeats a run of the chaos tests. */
    chaosSeed: number;
  }
}

/** Storage, vault and providers, each behind a proxy, and host processes that know of the proxies only. */
export interface World {
  readonly seed: number;
  readonly random: SeededRandom;
  readonly history: History;
  readonly tables: RecordingProxy;
  readonly queue: RecordingProxy;
  readonly vault: RecordingProxy;
  readonly grants: GrantDesk;
  readonly adminKey: string;
  /** Of the storage itself, past the proxies. */
  readonly connectionString: string;
  provider(kind: ProviderClass): Provider;
  providers(): readonly Provider[];
  startHost(environment?: Readonly<Record<string, string>>): Promise<ChaosHost>;
  startHosts(count: number, environment?: Readonly<Record<string, string>>): Promise<ChaosHost[]>;
  /** Ends every rule of every proxy. */
  calm(): void;
}

export interface WorldOptions {
  readonly providers: readonly ProviderClass[];
  /** Settings of every host. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Of the providers' access tokens. Default: that of `startProvider`. */
  readonly accessTokenLifeSeconds?: number;
}

interface StartedWorld extends World {
  stop(keep: boolean): Promise<void>;
}

/** A world for the tests of a suite. After a failure its history and the hosts' logs are kept, and it says where. */
export function useWorld(options: WorldOptions): () => World {
  let world: StartedWorld | undefined;
  let failed = false;
  beforeAll(async () => {
    world = await startWorld(options);
  }, 60_000);
  afterEach(({ task }) => {
    failed ||= task.result?.state === 'fail';
    world?.calm();
  });
  afterAll(() => world?.stop(failed || process.env.CHAOS_KEEP === 'true'), 60_000);
  return () => {
    if (world === undefined) throw new Error('the world has not begun yet');
    return world;
  };
}

async function startWorld(options: WorldOptions): Promise<StartedWorld> {
  const { providers: kinds, environment = {}, accessTokenLifeSeconds } = options;
  const life = accessTokenLifeSeconds === undefined ? {} : { accessTokenLifeSeconds };
  const seed = inject('chaosSeed');
  const random = createSeededRandom(seed);
  const history = createHistory();
  const folder = await mkdtemp(join(tmpdir(), 'bowline-chaos-'));
  const [azurite, vaultEmulator] = await Promise.all([startAzurite({ inMemory: true }), startKeyVaultEmulator()]);
  await putEncryptionKey(vaultEmulator);
  const proxied = (name: string, target: string) =>
    startRecordingProxy({ name, target, history, random: random.branch(name), describe: describeTableRequest });
  const [tables, queue, vault] = await Promise.all([
    proxied('tables', `http://127.0.0.1:${azurite.tablePort}`),
    proxied('queue', `http://127.0.0.1:${azurite.queuePort}`),
    proxied('vault', vaultEmulator.url),
  ]);
  const providers = await Promise.all(
    kinds.map((kind, index) => {
      const name = kinds.indexOf(kind) === index ? kind : `${kind}-${index}`;
      return startProvider({ kind, name, history, random: random.branch(name), ...life });
    }),
  );
  const adminKey = `bwl_${randomBytes(8).toString('hex')}_${randomBytes(32).toString('base64url')}`;
  const settings = {
    BOWLINE_EMBEDDED: 'none',
    OAuthStorage: azurite.connectionString
      .replace(`http://127.0.0.1:${azurite.tablePort}`, tables.origin)
      .replace(`http://127.0.0.1:${azurite.queuePort}`, queue.origin),
    AZURE_KEY_VAULT_URL: vault.origin,
    ALLOW_INSECURE_LOOPBACK: 'true',
    BOOTSTRAP_ADMIN_KEY_SHA256: createHash('sha256').update(adminKey).digest('hex'),
    CREDENTIAL_CACHE_SECONDS: '0',
    RATE_LIMIT_PER_MINUTE: '0',
    AUTHORIZE_LIMIT_PER_MINUTE: '0',
    ...environment,
  };
  const processes: HostProcess[] = [];
  const startHost: World['startHost'] = (own = {}) => {
    const name = `host-${processes.length + 1}`;
    const launched = launchHost({ name, folder, environment: { ...settings, ...own }, adminKey, history });
    processes.push(launched.process);
    return launched.ready;
  };
  const proxies = [tables, queue, vault, ...providers.map(({ proxy }) => proxy)];

  return {
    seed,
    random: random.branch('test'),
    history,
    tables,
    queue,
    vault,
    grants: createGrantDesk(azurite.connectionString),
    adminKey,
    connectionString: azurite.connectionString,
    provider: (kind) => {
      const found = providers.find((each) => each.kind === kind);
      if (found === undefined) throw new Error(`this world has no ${kind} provider`);
      return found;
    },
    providers: () => providers,
    startHost,
    startHosts: (count, own) => Promise.all(Array.from({ length: count }, () => startHost(own))),
    calm: () => {
      for (const proxy of proxies) proxy.calm();
    },
    stop: async (keep) => {
      for (const each of processes) await endProcess(each);
      await Promise.all([...proxies.map((proxy) => proxy.stop()), ...providers.map((provider) => provider.stop())]);
      await Promise.all([azurite.stop(), vaultEmulator.stop()]);
      if (!keep) return rm(folder, { recursive: true });
      history.writeTo(join(folder, 'history.jsonl'));
      console.log(`CHAOS_SEED=${seed} repeats this. History and logs: ${folder}`);
    },
  };
}

async function putEncryptionKey({ url }: KeyVaultEmulator): Promise<void> {
  const written = await fetch(`${url}/secrets/oauth-token-encryption-key?api-version=7.6`, {
    method: 'PUT',
    headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
    body: JSON.stringify({ value: randomBytes(32).toString('base64url') }),
  });
  await written.body?.cancel();
  if (!written.ok) throw new Error(`the vault does not take the encryption key: ${written.status}`);
}
