import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { damagedFile, isRecord, parseJson, readTextIfAny } from '../../json-file.ts';
import { StartFailure } from '../../start-failure.ts';
import { type LoopbackListener, listenFailure, loopbackHost } from '../loopback-server.ts';
import {
  type AzuriteServer,
  createQueueServer,
  createTableServer,
  databaseFiles,
  emulatorAccount,
} from './azurite-modules.ts';

export type AzuriteOptions = AzuritePorts & ({ readonly inMemory: true } | { readonly folder: string });

export interface AzuritePorts {
  /** Default 0: any free port. */
  readonly tablePort?: number;
  readonly queuePort?: number;
}

export interface Azurite {
  readonly connectionString: string;
  readonly tablePort: number;
  readonly queuePort: number;
  /** Writes everything to disk and frees the ports. */
  stop(): Promise<void>;
}

/** Azurite writes its files at intervals: this is the most that a killed host loses. */
const saveEveryMs = 250;

/**
 * Starts Azurite's table and queue services in this process, on 127.0.0.1, without logs and telemetry, on disk under
 * `folder` or in memory. Throws `StartFailure` when the folder is damaged or a port is taken.
 */
export async function startAzurite(options: AzuriteOptions): Promise<Azurite> {
  const inMemory = 'inMemory' in options;
  const folder = inMemory ? '' : options.folder;
  if (!inMemory) prepareFolder(folder);

  const listener = (what: string, port = 0): LoopbackListener => ({ name: `${what} service`, port });
  const settings = (port = 0) => ({ host: loopbackHost, port, folder, inMemory });
  const table = createTableServer(settings(options.tablePort));
  await start(table, listener('table', options.tablePort));
  const queue = createQueueServer(settings(options.queuePort));
  try {
    await start(queue, listener('queue', options.queuePort));
  } catch (error) {
    await stop(table);
    throw error;
  }

  if (!inMemory) for (const { metadataStore } of [table, queue]) saveOften(metadataStore.db);
  const [tablePort, queuePort] = [portOf(table), portOf(queue)];
  return {
    tablePort,
    queuePort,
    connectionString: connectionString(tablePort, queuePort),
    stop: async () => {
      await Promise.all([stop(table), stop(queue)]);
    },
  };
}

function connectionString(tablePort: number, queuePort: number): string {
  const { name, key } = emulatorAccount();
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${name}`,
    `AccountKey=${key}`,
    `TableEndpoint=http://${loopbackHost}:${tablePort}/${name}`,
    `QueueEndpoint=http://${loopbackHost}:${queuePort}/${name}`,
  ].join(';');
}

/** Azurite takes an empty file for an empty database, and says of a torn one nothing that a person understands. */
function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new StartFailure(`Cannot use ${folder} for the storage emulator (${String(code)}).`);
  }
  for (const file of Object.values(databaseFiles)) {
    const path = join(folder, file);
    const text = readTextIfAny(path);
    if (text === null) continue;
    const content = parseJson(text);
    if (!isRecord(content) || !Array.isArray(content.collections)) throw damagedFile(path);
  }
}

async function start(server: AzuriteServer, listener: LoopbackListener): Promise<void> {
  try {
    await server.start();
  } catch (error) {
    // The databases are open by now and their timers would keep the process alive.
    await server.afterClose().catch(() => {});
    const clear = listenFailure(error, listener);
    if (clear instanceof StartFailure) throw clear;
    throw new StartFailure(`The ${listener.name} of the storage emulator does not start: its data is damaged.`);
  }
}

async function stop(server: AzuriteServer): Promise<void> {
  const closed = once(server.httpServer, 'close');
  await server.close();
  server.httpServer.closeAllConnections();
  await closed;
}

function saveOften(database: AzuriteServer['metadataStore']['db']): void {
  database.autosaveInterval = saveEveryMs;
  database.autosaveDisable();
  database.autosaveEnable();
}

function portOf({ httpServer }: AzuriteServer): number {
  const address = httpServer.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has an address with a port');
  return address.port;
}
