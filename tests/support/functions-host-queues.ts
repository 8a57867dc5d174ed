import { createRequire } from 'node:module';
import { QueueServiceClient, StorageSharedKeyCredential } from '@azure/storage-queue';

const require = createRequire(import.meta.url);

// Azurite's well-known development account.
const account = 'devstoreaccount1';
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

interface QueueServer {
  start(): Promise<void>;
  close(): Promise<void>;
  getHttpServerAddress(): string;
}

export interface TestQueues {
  readonly service: QueueServiceClient;
  close(): Promise<void>;
}

/** Azurite's queue service in this process, in memory, on a free port. */
export async function startTestQueues(): Promise<TestQueues> {
  const { default: Server } = require('azurite/dist/src/queue/QueueServer.js');
  const { default: Configuration } = require('azurite/dist/src/queue/QueueConfiguration.js');
  const quiet = [false, undefined, false, undefined, true, true, '', '', '', undefined, false] as const;
  const server: QueueServer = new Server(new Configuration('127.0.0.1', 0, 5, '', '', [], ...quiet, true));
  await server.start();
  const url = `${server.getHttpServerAddress()}/${account}`;
  const service = new QueueServiceClient(url, new StorageSharedKeyCredential(account, accountKey));
  return { service, close: () => server.close() };
}
