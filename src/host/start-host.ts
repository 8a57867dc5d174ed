import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { ProviderCatalogue } from '../ports/provider-catalogue.ts';
import { settingNames } from '../settings.ts';
import { readAppHostJson } from './app-host-json.ts';
import { type EmbeddedServices, startEmbeddedServices } from './embedded-services.ts';
import { ensureEncryptionKey } from './encryption-key.ts';
import { type FunctionsHost, startFunctionsHost } from './functions-host/index.ts';
import { describeError } from './functions-host/log.ts';
import { type Home, openHome } from './home.ts';
import { createHostLogger, type HostLogger } from './host-log.ts';
import { type Environment, type HostSettings, readHostSettings } from './host-settings.ts';
import { writeJsonAtomically } from './json-file.ts';
import { listenFailure } from './services/loopback-server.ts';
import { StartFailure } from './start-failure.ts';
import { openQueue, prepareStorage } from './storage.ts';

/** What the host needs of the app's entry, `src/main.ts`. */
export interface AppModule {
  /** Names every faulty setting; empty when all is well. */
  settingsProblems(): readonly string[];
  /** Sends the app's structured log lines here instead of to standard output. */
  logLinesTo?(write: (line: string) => void): void;
  /** Puts another catalogue in place of the real one. */
  useProviders?(catalogue: ProviderCatalogue): void;
  /** Makes the tables that are missing. */
  createTables?(): Promise<void>;
}

export interface StartHostOptions {
  /** Read, and filled with what the app needs and nobody has set: the process's own for the real app. */
  readonly environment: Environment;
  /** Imports the app, which registers its functions. */
  readonly importApp: () => Promise<AppModule>;
  /** Where short warnings for people go. */
  readonly show: (line: string) => void;
}

/** The content of `$BOWLINE_HOME/host.json` while the host runs. */
export interface HostJson {
  readonly url: string;
  readonly pid: number;
  /** Null when the person set BOOTSTRAP_ADMIN_KEY_SHA256: then only they know the key. */
  readonly admin_key: string | null;
  readonly master_key: string;
  /** Environment of a further host process on the same storage and vault. */
  readonly settings: Readonly<Record<string, string>>;
  readonly demo_provider: {
    readonly issuer: string;
    readonly client_id: string;
    readonly client_secret: string;
  } | null;
  /** Null: the catalogue is the real one. */
  readonly mock_providers: {
    readonly url: string;
    readonly client_id: string;
    readonly client_secret: string;
    /** PEM: the client secret where assertions are signed. */
    readonly private_key: string;
  } | null;
}

export interface RunningHost {
  readonly url: string;
  readonly home: Home;
  readonly hostJson: HostJson;
  readonly functionsHost: FunctionsHost;
  readonly logger: HostLogger;
  /** Drains, stops everything and gives the home back. A second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * Starts the embedded host: home, services, the functions of the app, and `host.json` once it is ready.
 * Throws `StartFailure` with one clear line, with everything stopped again.
 */
export async function startHost(options: StartHostOptions): Promise<RunningHost> {
  const settings = readHostSettings(options.environment);
  const home = openHome(settings.home);
  const logger = createHostLogger({ path: home.path('log'), now: () => new Date(), show: options.show });
  const cleanUps = createCleanUps(logger);
  cleanUps.add(() => home.release());
  try {
    return await startIn({ home, settings, logger, cleanUps }, options);
  } catch (error) {
    await cleanUps.run();
    if (error instanceof StartFailure) throw error;
    logger.record('error', 'The start failed', { error: describeError(error) });
    throw new StartFailure(`Something unexpected went wrong; ${home.path('log')} has the details.`, { cause: error });
  }
}

type Step = () => Promise<void> | void;

interface CleanUps {
  add(step: Step): void;
  /** The last added first; all of them, whatever one does. */
  run(): Promise<void>;
}

function createCleanUps(logger: HostLogger): CleanUps {
  const steps: Step[] = [];
  return {
    add: (step) => void steps.push(step),
    run: async () => {
      for (const step of steps.splice(0).reverse()) {
        try {
          await step();
        } catch (error) {
          logger.log('error', 'A part of the host did not stop cleanly', { error: describeError(error) });
        }
      }
    },
  };
}

interface Starting {
  readonly home: Home;
  readonly settings: HostSettings;
  readonly logger: HostLogger;
  readonly cleanUps: CleanUps;
}

async function startIn(
  { home, settings, logger, cleanUps }: Starting,
  { environment, importApp }: StartHostOptions,
): Promise<RunningHost> {
  const { routePrefix, queueSettings } = readAppHostJson();
  const services = settings.embedded
    ? await startEmbeddedServices(home, () => callbackPrefix(environment, routePrefix), settings)
    : null;
  if (services !== null) {
    cleanUps.add(() => services.stop());
    fillIn(environment, servicesEnvironment(services));
    await ensureEncryptionKey(home, services.vaultUrl, encryptionKeyName(environment));
    // From now on every file of theirs must be there: last, so that an interrupted first start can be repeated.
    home.save({ ports: services.ports });
  }
  // The app refuses this setting: it is given the stand-ins, and cannot be told to look for any.
  delete environment.BOWLINE_MOCK_PROVIDERS;
  const isOwnAdmin = fillInAdmin(environment, home);

  const functionsHost = await startFunctions(settings.port, {
    loadApp: async (baseUrl) => {
      if (environment.ALLOW_INSECURE_LOOPBACK === 'true') fillIn(environment, { PUBLIC_BASE_URL: baseUrl });
      const app = await importApp();
      app.logLinesTo?.((line) => logger.appLine(line));
      if (services?.mockProviders) app.useProviders?.(services.mockProviders.catalogue);
      const problems = app.settingsProblems();
      if (problems.length > 0) throw new StartFailure(`Faulty settings: ${problems.join('; ')}.`);
      await prepareStorage(environment, () => app.createTables?.());
    },
    routePrefix,
    masterKey: home.state.master_key,
    openQueue: (connection, queueName) => openQueue(environment, connection, queueName),
    queueSettings,
    runTimers: true,
    log: logger.log,
    environment,
  });
  cleanUps.add(() => functionsHost.stop());

  const hostJson = describeHost({ url: functionsHost.url, home, services, environment, isOwnAdmin });
  writeJsonAtomically(home.path('hostJson'), hostJson);
  cleanUps.add(() => rmSync(home.path('hostJson'), { force: true }));
  let stopped: Promise<void> | undefined;
  return {
    url: functionsHost.url,
    home,
    hostJson,
    functionsHost,
    logger,
    stop: () => {
      stopped ??= cleanUps.run();
      return stopped;
    },
  };
}

async function startFunctions(
  port: number,
  options: Omit<Parameters<typeof startFunctionsHost>[0], 'port'>,
): Promise<FunctionsHost> {
  try {
    return await startFunctionsHost({ ...options, port });
  } catch (error) {
    const clear = listenFailure(error, { name: 'Bowline API', port });
    if (clear === error) throw error;
    throw new StartFailure(`${clear instanceof Error ? clear.message : ''} Or set BOWLINE_PORT (0: any free port).`);
  }
}

function servicesEnvironment({ connectionString, vaultUrl }: EmbeddedServices): Readonly<Record<string, string>> {
  return { OAuthStorage: connectionString, AZURE_KEY_VAULT_URL: vaultUrl, ALLOW_INSECURE_LOOPBACK: 'true' };
}

/** What the person set stays. */
function fillIn(environment: Environment, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) if (!environment[name]?.trim()) environment[name] = value;
}

/** Whether the first administrator's key is the home's own. */
function fillInAdmin(environment: Environment, home: Home): boolean {
  const hash = createHash('sha256').update(home.state.admin_key).digest('hex');
  fillIn(environment, { BOOTSTRAP_ADMIN_KEY_SHA256: hash });
  return environment.BOOTSTRAP_ADMIN_KEY_SHA256?.trim().toLowerCase() === hash;
}

function encryptionKeyName(environment: Environment): string {
  return environment.ENCRYPTION_KEY_SECRET_NAME?.trim() || 'oauth-token-encryption-key';
}

function callbackPrefix(environment: Environment, routePrefix: string): string | null {
  const base = environment.PUBLIC_BASE_URL ?? '';
  return URL.canParse(base) ? `${new URL(base).origin}/${routePrefix}/oauth/callback/` : null;
}

function describeHost(host: {
  readonly url: string;
  readonly home: Home;
  readonly services: EmbeddedServices | null;
  readonly environment: Environment;
  readonly isOwnAdmin: boolean;
}): HostJson {
  const { url, home, services, environment, isOwnAdmin } = host;
  const set = settingNames.flatMap((name) => (environment[name] ? [[name, environment[name]] as const] : []));
  const demo = services?.demoProvider;
  const mock = services?.mockProviders;
  return {
    url,
    pid: process.pid,
    admin_key: isOwnAdmin ? home.state.admin_key : null,
    master_key: home.state.master_key,
    settings: { ...Object.fromEntries(set), BOWLINE_EMBEDDED: 'none' },
    demo_provider: demo ? { issuer: demo.issuer, client_id: demo.clientId, client_secret: demo.clientSecret } : null,
    mock_providers: mock
      ? { url: mock.url, client_id: mock.clientId, client_secret: mock.clientSecret, private_key: mock.privateKey }
      : null,
  };
}
