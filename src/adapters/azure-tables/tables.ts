import type { HttpClient, PipelinePolicy } from '@azure/core-rest-pipeline';
import { TableClient, type TableServiceClientOptions } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import type { Secret } from '../../domain/secret.ts';
import { createTable, type Table } from './table.ts';

/** Where the tables are: the account's connection string, or its table service with an identity. */
export type TablesConnection =
  | { readonly connectionString: Secret }
  | { readonly tableServiceUri: string; readonly credential: TokenCredential };

export interface TablesOptions {
  readonly connection: TablesConnection;
  /** Begins every table's name. Default: empty. */
  readonly prefix?: string;
  /**
   * Told what storage's clock said at each answer, in milliseconds since the epoch, exact to half a second, and how
   * long request and answer travelled together.
   */
  readonly onStorageDate?: ((serverNowMs: number, tripMs: number) => void) | undefined;
  /** Allows http. `UseDevelopmentStorage=true` needs no permission. */
  readonly allowInsecureConnection?: boolean;
  /** How long one call may take, the SDK's own repetitions included. Default 6 s. */
  readonly timeoutMs?: number;
  /** For tests: sends in place of the default client. */
  readonly httpClient?: HttpClient;
  /** For tests: sees every try of every request. */
  readonly policies?: readonly PipelinePolicy[];
}

const tableNames = {
  connections: 'OAuthConnections',
  userGrants: 'OAuthUserGrants',
  transactions: 'OAuthTransactions',
  workflows: 'OAuthWorkflows',
  callers: 'OAuthCallers',
  jobs: 'OAuthJobs',
  revocations: 'OAuthRevocations',
  due: 'OAuthRefreshDue',
  audit: 'OAuthAudit',
} as const;

export type Tables = Readonly<Record<keyof typeof tableNames, Table>>;

const defaultTimeoutMs = 6000;

export function createTables(options: TablesOptions): Tables {
  const { prefix = '', timeoutMs = defaultTimeoutMs } = options;
  const entries = Object.entries(tableNames).map(([key, name]) => [
    key,
    createTable(createClient(`${prefix}${name}`, options), { timeoutMs }),
  ]);
  return Object.fromEntries(entries);
}

function createClient(name: string, options: TablesOptions): TableClient {
  const { connection, onStorageDate, httpClient, policies = [], allowInsecureConnection = false } = options;
  const all = onStorageDate === undefined ? policies : [...policies, storageDatePolicy(onStorageDate)];
  const clientOptions: TableServiceClientOptions = {
    allowInsecureConnection,
    retryOptions: { maxRetries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1000 },
    additionalPolicies: all.map((policy) => ({ policy, position: 'perRetry' })),
    ...(httpClient === undefined ? {} : { httpClient }),
  };
  return 'connectionString' in connection
    ? TableClient.fromConnectionString(connection.connectionString.reveal(), name, clientOptions)
    : new TableClient(connection.tableServiceUri, name, connection.credential, clientOptions);
}

/** `Date` is cut to the second, so that the middle of that second is the best guess. */
function storageDatePolicy(onStorageDate: (serverNowMs: number, tripMs: number) => void): PipelinePolicy {
  return {
    name: 'storageDate',
    async sendRequest(request, next) {
      const sentAt = Date.now();
      const response = await next(request);
      const dateMs = Date.parse(response.headers.get('date') ?? '');
      if (!Number.isNaN(dateMs)) onStorageDate(dateMs + 500, Math.max(0, Date.now() - sentAt));
      return response;
    },
  };
}
