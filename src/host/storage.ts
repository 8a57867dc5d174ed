import { DefaultAzureCredential, ManagedIdentityCredential } from '@azure/identity';
import { QueueClient } from '@azure/storage-queue';
import { refreshQueueName } from '../settings.ts';
import type { HostQueue } from './functions-host/index.ts';
import type { Environment } from './host-settings.ts';
import { StartFailure } from './start-failure.ts';

/** Makes the tables and queues that are missing. Throws `StartFailure` when storage does not answer. */
export async function prepareStorage(
  environment: Environment,
  createTables: () => Promise<void> | undefined,
): Promise<void> {
  const queueName = refreshQueueName(environment.TABLE_PREFIX?.trim() ?? '');
  try {
    await createTables();
    const queueNames = [queueName, `${queueName}-poison`];
    await Promise.all(queueNames.map((name) => openQueue(environment, 'OAuthStorage', name).createIfNotExists()));
  } catch (error) {
    const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    throw new StartFailure(
      `The storage that OAuthStorage names does not work (${String(status ?? code ?? 'no answer')}).`,
    );
  }
}

/** Opens a queue of the storage that a binding's connection names, as the real host resolves it. */
export function openQueue(environment: Environment, connection: string, queueName: string): HostQueue {
  const connectionString = connectionStringOf(environment, connection);
  if (connectionString !== undefined) return new QueueClient(connectionString, queueName);
  const uri = environment[`${connection}__queueServiceUri`]?.trim();
  if (!uri) throw new StartFailure(`Faulty settings: ${connection} or ${connection}__queueServiceUri is missing.`);
  return new QueueClient(`${uri.replace(/\/$/, '')}/${queueName}`, credential(environment, connection));
}

function connectionStringOf(environment: Environment, connection: string): string | undefined {
  const given = environment[connection]?.trim();
  const fallback = connection === 'OAuthStorage' ? environment.AZURE_STORAGE_CONNECTION_STRING?.trim() : undefined;
  return given || fallback || undefined;
}

function credential(environment: Environment, connection: string): DefaultAzureCredential | ManagedIdentityCredential {
  if (environment[`${connection}__credential`] !== 'managedidentity') return new DefaultAzureCredential();
  const clientId = environment[`${connection}__clientId`];
  return clientId ? new ManagedIdentityCredential({ clientId }) : new ManagedIdentityCredential();
}
