import { developerIdentity, managedIdentity } from './adapters/azure-identity/credential.ts';
import { type AzureTables, createAzureTables, type TablesConnection } from './adapters/azure-tables/index.ts';
import { createTokenVerifier } from './adapters/entra/token-verifier.ts';
import { createKeyVault } from './adapters/key-vault/index.ts';
import { createJsonLogger, type WriteLine } from './adapters/log/json-logger.ts';
import { createWorkContext } from './adapters/log/work-context.ts';
import { createGuardedFetch } from './adapters/outbound-http/guarded-fetch.ts';
import { createUrlPolicy } from './adapters/outbound-http/url-policy.ts';
import { createProviderGate } from './adapters/provider-gate/provider-gate.ts';
import { createRateLimiter } from './adapters/rate-limiter/rate-limiter.ts';
import { createMemoryCache } from './adapters/system/memory-cache.ts';
import { type CorrectedClock, createSystemClock } from './adapters/system/system-clock.ts';
import { systemDigest } from './adapters/system/system-digest.ts';
import { createSystemRandom, randomBytes } from './adapters/system/system-random.ts';
import { systemSigningKeys } from './adapters/system/system-signing-keys.ts';
import { systemTimers } from './adapters/system/system-timers.ts';
import { withinTime } from './adapters/system/time-limit.ts';
import { createKeyring } from './crypto/keyring.ts';
import { createAuthorizationServer } from './oauth/authorization-server.ts';
import type { ProviderCatalogue } from './ports/provider-catalogue.ts';
import type { RateLimits } from './ports/rate-limiter.ts';
import { knownProviders } from './providers/known-providers.ts';
import type { Settings } from './settings.ts';
import { type Broker, type BrokerCaches, createBroker } from './usecases/broker.ts';
import type { RekeyLimits } from './usecases/rekey/work-rekey.ts';

/** What the embedded host or a test may put in place of the real thing. */
export interface Replacements {
  readonly clock?: CorrectedClock;
  /** How long a lease lives. */
  readonly leaseMs?: number;
  /** How much a step of a rekey job works through. */
  readonly rekeyLimits?: RekeyLimits;
  readonly providers?: ProviderCatalogue;
}

export interface Composition {
  readonly broker: Broker;
  /** Makes the tables that are missing: for the embedded host and tests. In Azure the templates make them. */
  createTables(): Promise<void>;
  /** Finishes what is in flight, for 12 s at the most, and lets go of connections. */
  stop(): Promise<void>;
  /** Lets go of connections. */
  close(): Promise<void>;
}

/** A caller who is removed stops within a minute, also when reading it from storage took its time. */
const callerCacheMs = 50_000;
const recordedUseCacheMs = 24 * 3600 * 1000;
/** Longer than any request takes. */
const seenGrantsMs = 60_000;
const workflowUseCacheMs = 15 * 60_000;
/** A call to a provider may take 8 s, and then there is something to write. */
const drainLimitMs = 12_000;
const mostCached = 10_000;
/** Each with its row and open tokens: some 16 KB where tokens are big. They live for seconds. */
const mostOpenGrants = 2000;

/** The one place that sees settings, adapters and use cases together. Nothing is sent until a use case runs. */
export function compose(settings: Settings, writeLine: WriteLine, replacements: Replacements = {}): Composition {
  const context = createWorkContext();
  const logger = createJsonLogger(writeLine, context);
  const clock = replacements.clock ?? createSystemClock();
  const random = createSystemRandom();
  const { allowInsecureLoopback } = settings;
  const keyVault = createKeyVault({
    url: settings.keyVaultUrl,
    credential: credentialFor(settings),
    allowInsecureLoopback,
    clock,
  });
  const keyring = createKeyring({
    load: async () =>
      settings.encryptionKeys.length > 0
        ? settings.encryptionKeys
        : keyVault.loadEncryptionKeys(settings.encryptionKeySecretName),
    clock,
    randomBytes,
    onReloadFailed: (cause) => logger.warn('encryption_keys_not_reloaded', { cause }),
  });
  const tables: AzureTables = createAzureTables({
    connection: tablesConnection(settings),
    prefix: settings.tablePrefix,
    keyring,
    random,
    clock,
    onStorageDate: (serverNowMs, tripMs) => clock.correct(serverNowMs, tripMs),
    onMalformedRow: (row) => logger.error('malformed_row', { ...row }),
    onAuditHeadNotWritten: (cause) => logger.warn('audit_head_not_written', { cause }),
    timers: systemTimers,
    allowInsecureConnection: allowInsecureLoopback,
    ...(replacements.leaseMs !== undefined && { leaseMs: replacements.leaseMs }),
  });
  const outbound = createGuardedFetch({ allowInsecureLoopback });
  const { createTables, isReachable, ...stores } = tables;
  const broker = createBroker(
    {
      ...stores,
      clock,
      random,
      digest: systemDigest,
      timers: systemTimers,
      context,
      logger,
      gate: createProviderGate({ clock }),
      limits: rateLimits(settings),
      providers: replacements.providers ?? knownProviders,
      vault: keyVault.vault,
      tokenVerifier: createTokenVerifier({
        tenantIds: settings.entraTenantIds,
        audiences: settings.entraAudiences,
        authority: settings.entraAuthority,
        fetch: outbound.fetch,
        clock,
        onKeysNotLoaded: (cause) => logger.warn('identity_keys_not_loaded', { cause }),
      }),
      signingKeys: systemSigningKeys,
      authorizationServer: createAuthorizationServer({ ...outbound, clock, random, allowInsecureLoopback }),
      urlPolicy: createUrlPolicy({ allowInsecureLoopback }),
      policy: settings,
    },
    createCaches(settings, clock),
    {
      storage: async () => assertReachable(await isReachable()),
      vault: async () => assertReachable(await keyVault.isReachable()),
      encryption_key: () => keyring.keyIds(),
    },
    replacements,
  );
  return {
    broker,
    createTables,
    close: () => outbound.close(),
    async stop() {
      await withinTime(drainLimitMs, broker.drain());
      await outbound.close();
    },
  };
}

function createCaches({ credentialCacheSeconds }: Settings, clock: Pick<CorrectedClock, 'now'>): BrokerCaches {
  const cacheOf = <Value>(lifeMs: number, maxItems = mostCached) =>
    createMemoryCache<Value>({ maxItems, lifeMs, clock });
  return {
    credentials: cacheOf(credentialCacheSeconds * 1000, mostOpenGrants),
    knownKeys: cacheOf(callerCacheMs),
    knownPrincipals: cacheOf(callerCacheMs),
    recordedUses: cacheOf(recordedUseCacheMs),
    seenGrants: cacheOf(seenGrantsMs),
    workflowUses: cacheOf(workflowUseCacheMs),
  };
}

function rateLimits({ rateLimitPerMinute, authorizeLimitPerMinute }: Settings): RateLimits {
  return {
    calls: createRateLimiter({
      perMinute: rateLimitPerMinute,
      message: 'You have called too often for this organisation.',
    }),
    authorizations: createRateLimiter({
      perMinute: authorizeLimitPerMinute,
      message: 'Too many authorizations were begun for this organisation.',
    }),
    failedAuthentications: createRateLimiter({
      perMinute: rateLimitPerMinute,
      message: 'Too many calls without valid credentials came from your address. Valid ones are still taken.',
    }),
  };
}

function tablesConnection({ storage, ...settings }: Settings): TablesConnection {
  if ('connectionString' in storage) return storage;
  return { tableServiceUri: storage.tableServiceUri, credential: credentialFor({ storage, ...settings }) };
}

/** Storage by identity says that this is Azure, where the vault takes the same identity. */
function credentialFor({ storage }: Settings) {
  return 'connectionString' in storage ? developerIdentity() : managedIdentity(storage.managedIdentityClientId);
}

function assertReachable(isReachable: boolean): void {
  if (!isReachable) throw new Error('not reachable');
}
