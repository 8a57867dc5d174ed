import type { Server } from 'node:http';
import { createRequire } from 'node:module';

/** The part of Azurite's own database that this needs. */
interface LokiDatabase {
  autosaveInterval: number;
  autosaveDisable(): void;
  autosaveEnable(): void;
}

/** One of Azurite's servers. None of this is public: the version is pinned and a test starts it. */
export interface AzuriteServer {
  readonly httpServer: Server;
  readonly metadataStore: { readonly db: LokiDatabase };
  start(): Promise<void>;
  close(): Promise<void>;
  afterClose(): Promise<void>;
}

export interface ServerSettings {
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  readonly inMemory: boolean;
}

const require = createRequire(import.meta.url);
const keepAliveSeconds = 5;

export function createTableServer({ host, port, folder, inMemory }: ServerSettings): AzuriteServer {
  const TableServer = load('table/TableServer.js');
  const TableConfiguration = load('table/TableConfiguration.js');
  const database = `${folder}/${databaseFiles.table}`;
  return new TableServer(new TableConfiguration(host, port, keepAliveSeconds, database, ...common, inMemory));
}

export function createQueueServer({ host, port, folder, inMemory }: ServerSettings): AzuriteServer {
  const QueueServer = load('queue/QueueServer.js');
  const QueueConfiguration = load('queue/QueueConfiguration.js');
  const database = `${folder}/${databaseFiles.queue}`;
  const extents = `${folder}/${databaseFiles.queueExtents}`;
  const paths = [{ locationId: 'Default', locationPath: `${folder}/queue-messages`, maxConcurrency: 5 }];
  return new QueueServer(
    new QueueConfiguration(host, port, keepAliveSeconds, database, extents, paths, ...queueCommon, inMemory),
  );
}

/** The names of Azurite's database files in its folder. */
export const databaseFiles = {
  table: 'tables.json',
  queue: 'queues.json',
  queueExtents: 'queue-extents.json',
} as const;

/** Azurite's well-known account, which every storage SDK knows as the emulator's. */
export function emulatorAccount(): { readonly name: string; readonly key: string } {
  const constants = require('azurite/dist/src/common/utils/constants.js') as {
    readonly EMULATOR_ACCOUNT_NAME: string;
    readonly EMULATOR_ACCOUNT_KEY: Buffer;
  };
  return { name: constants.EMULATOR_ACCOUNT_NAME, key: constants.EMULATOR_ACCOUNT_KEY.toString('base64') };
}

/** Positional in Azurite. No debug log, no access log; newer API versions than it knows are served. */
const logs = { debug: false, access: false, accessStream: undefined, debugFile: undefined };
const rest = ['loose', 'skipApiVersionCheck', 'cert', 'key', 'password', 'oauth', 'disableProductStyleUrl'] as const;
const restValues = [false, true, '', '', '', undefined, false] satisfies { [K in keyof typeof rest]: unknown };
const common = [logs.debug, logs.access, logs.accessStream, logs.debugFile, ...restValues] as const;
const queueCommon = [logs.access, logs.accessStream, logs.debug, logs.debugFile, ...restValues] as const;

type Constructor = new (...values: unknown[]) => AzuriteServer;

function load(path: string): Constructor {
  return (require(`azurite/dist/src/${path}`) as { readonly default: Constructor }).default;
}
