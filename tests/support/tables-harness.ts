import { randomBytes } from 'node:crypto';
import type { HttpClient, PipelinePolicy } from '@azure/core-rest-pipeline';
import { TableClient } from '@azure/data-tables';
import { inject } from 'vitest';
import {
  type AzureTables,
  createAzureTables,
  type OnMalformedRow,
  type SealingKeyring,
} from '../../src/adapters/azure-tables/index.ts';
import { createSystemClock } from '../../src/adapters/system/system-clock.ts';
import { createSystemRandom } from '../../src/adapters/system/system-random.ts';
import { systemTimers } from '../../src/adapters/system/system-timers.ts';
import { createKeyring } from '../../src/crypto/keyring.ts';
import { Secret } from '../../src/domain/secret.ts';
import type { Timers } from '../../src/ports/timers.ts';

export interface TablesHarness {
  readonly stores: AzureTables;
  /** The same tables as another process sees them. */
  another(options?: HarnessOptions): AzureTables;
  /** Reaches past the adapter. */
  raw(table: RawTable): TableClient;
}

export type RawTable =
  | 'OAuthConnections'
  | 'OAuthUserGrants'
  | 'OAuthTransactions'
  | 'OAuthWorkflows'
  | 'OAuthJobs'
  | 'OAuthRefreshDue'
  | 'OAuthAudit'
  | 'OAuthRevocations';

export interface HarnessOptions {
  readonly leaseMs?: number;
  readonly timeoutMs?: number;
  readonly policies?: readonly PipelinePolicy[];
  readonly httpClient?: HttpClient;
  readonly onMalformedRow?: OnMalformedRow;
  readonly onStorageDate?: (serverNowMs: number, tripMs: number) => void;
  readonly keyring?: SealingKeyring;
  readonly timers?: Timers;
}

const clock = createSystemClock();
const random = createSystemRandom();

export function createTestKeyring() {
  const key = new Secret(randomBytes(32).toString('base64url'));
  return createKeyring({ load: async () => [key], clock, randomBytes });
}

/** The stores on the suites' Azurite, in tables of their own. */
export async function createTablesHarness(options: HarnessOptions = {}): Promise<TablesHarness> {
  const text = inject('azuriteConnectionString');
  const prefix = `t${randomBytes(6).toString('hex')}`;
  const keyring = createTestKeyring();
  const another = (others: HarnessOptions = {}) =>
    createAzureTables({
      connection: { connectionString: new Secret(text) },
      allowInsecureConnection: true,
      prefix,
      keyring,
      clock,
      random,
      timers: systemTimers,
      ...options,
      ...others,
    });
  await another({ policies: [] }).createTables();
  return {
    stores: another(),
    another,
    raw: (table) => TableClient.fromConnectionString(text, `${prefix}${table}`, { allowInsecureConnection: true }),
  };
}
