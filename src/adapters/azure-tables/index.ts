import type { AuditLog } from '../../ports/audit-log.ts';
import type { CallerStore } from '../../ports/caller-store.ts';
import type { ConnectionStore } from '../../ports/connection-store.ts';
import type { DueIndex } from '../../ports/due-index.ts';
import type { GrantStore } from '../../ports/grant-store.ts';
import type { JobStore } from '../../ports/job-store.ts';
import type { ReconcileStore } from '../../ports/reconcile-store.ts';
import type { RekeyStore } from '../../ports/rekey-store.ts';
import type { RevocationStore } from '../../ports/revocation-store.ts';
import type { Timers } from '../../ports/timers.ts';
import type { TransactionStore } from '../../ports/transaction-store.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import { createAuditStore } from './audit-store.ts';
import { createCallerStore } from './caller-store.ts';
import type { Surroundings } from './change-row.ts';
import { createConnectionStore } from './connection-store.ts';
import { createDueIndex } from './due-index.ts';
import { createGrantStore } from './grant-store.ts';
import { createJobStore } from './job-store.ts';
import type { OnMalformedRow } from './malformed-rows.ts';
import { createReconcileStore } from './reconcile-store.ts';
import { createRekeyStore } from './rekey-store.ts';
import { createRevocationStore } from './revocation-store.ts';
import type { SealingKeyring } from './sealed-columns.ts';
import { createTables, type TablesOptions } from './tables.ts';
import { createTransactionStore } from './transaction-store.ts';
import { createWorkflowStore } from './workflow-store.ts';

export type { OnMalformedRow } from './malformed-rows.ts';
export type { SealingKeyring } from './sealed-columns.ts';
export type { TablesConnection } from './tables.ts';

export interface AzureTablesOptions extends TablesOptions, Surroundings {
  readonly keyring: SealingKeyring;
  readonly timers: Timers;
  /** Told of a row that a listing left out because it makes no sense. */
  readonly onMalformedRow?: OnMalformedRow;
  /** Told when the end of the audit chain could not be written. */
  readonly onAuditHeadNotWritten?: (cause: unknown) => void;
  /** How long a lease lives. Default 30 s; tests shorten it. */
  readonly leaseMs?: number;
}

export interface AzureTables {
  readonly connections: ConnectionStore;
  readonly grants: GrantStore;
  readonly transactions: TransactionStore;
  readonly revocations: RevocationStore;
  readonly workflows: WorkflowStore;
  readonly callers: CallerStore;
  readonly jobs: JobStore;
  readonly dueIndex: DueIndex;
  readonly reconcileRounds: ReconcileStore;
  readonly rekeyJobs: RekeyStore;
  readonly auditLog: AuditLog;
  /** Makes the tables that are missing. */
  createTables(): Promise<void>;
  /** Whether storage answers and the tables are there. Never throws. */
  isReachable(): Promise<boolean>;
}

const defaultLeaseMs = 30_000;

/** Every store on Table Storage. Nothing is sent until a method is called. */
export function createAzureTables(options: AzureTablesOptions): AzureTables {
  const { clock, random, keyring, leaseMs = defaultLeaseMs, onMalformedRow = () => {} } = options;
  const tables = createTables(options);
  const common = { clock, random, keyring, onMalformedRow };
  const grantTables = { connections: tables.connections, userGrants: tables.userGrants };

  return {
    connections: createConnectionStore({ ...common, table: tables.connections }),
    grants: createGrantStore({ ...common, tables: grantTables, leaseMs }),
    transactions: createTransactionStore({ ...common, table: tables.transactions }),
    revocations: createRevocationStore({ ...common, table: tables.revocations }),
    workflows: createWorkflowStore({ ...common, table: tables.workflows }),
    callers: createCallerStore({ ...common, table: tables.callers }),
    jobs: createJobStore({ ...common, table: tables.jobs }),
    dueIndex: createDueIndex({ onMalformedRow, table: tables.due }),
    reconcileRounds: createReconcileStore({ ...common, table: tables.jobs }),
    rekeyJobs: createRekeyStore({ ...common, table: tables.jobs }),
    auditLog: createAuditStore({
      ...common,
      table: tables.audit,
      timers: options.timers,
      onHeadNotWritten: options.onAuditHeadNotWritten ?? (() => {}),
    }),

    async createTables() {
      await Promise.all(Object.values(tables).map((table) => table.create()));
    },

    async isReachable() {
      try {
        await tables.connections.read({ partitionKey: 'health', rowKey: 'health' });
        return true;
      } catch {
        return false;
      }
    },
  };
}
