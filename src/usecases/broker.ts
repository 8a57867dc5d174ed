import type { CallerRecord } from '../domain/caller.ts';
import type { Cache } from '../ports/cache.ts';
import { createCancelAuthorization } from './authorization/cancel-authorization.ts';
import { createFinishAuthorization } from './authorization/finish-authorization.ts';
import { createOpenConnectPage } from './authorization/open-connect-page.ts';
import { createStartAuthorization } from './authorization/start-authorization.ts';
import { createAuthenticate } from './callers/authenticate.ts';
import { createManageCallers } from './callers/manage-callers.ts';
import { checkHealth, type Probe } from './check-health.ts';
import { createCreateConnection } from './connections/create-connection.ts';
import { createDeleteConnection } from './connections/delete-connection.ts';
import { createDisconnect } from './connections/disconnect.ts';
import { type ConnectionQuery, findConnection } from './connections/find-connection.ts';
import { createImportTokens } from './connections/import-tokens.ts';
import { createListConnections } from './connections/list-connections.ts';
import { createListGrants } from './connections/list-grants.ts';
import { createTestConnection } from './connections/test-connection.ts';
import { createUpdateConnection } from './connections/update-connection.ts';
import { createGetCredentials, type OpenGrant, type SeenGrant } from './credentials/get-credentials.ts';
import type { Dependencies } from './dependencies.ts';
import { createInFlight } from './in-flight.ts';
import { createGetRefreshJob } from './refresh/get-refresh-job.ts';
import { createIndexedStores } from './refresh/indexed-stores.ts';
import { createReportPoisoned } from './refresh/poisoned-batch.ts';
import { createReconcile } from './refresh/reconcile.ts';
import { createWorkBatch } from './refresh/refresh-batch.ts';
import { createRefreshConnection } from './refresh/refresh-connection.ts';
import { createGrantRefresher } from './refresh/refresh-grant.ts';
import { createStartSweep, type RefreshBatch } from './refresh/sweep.ts';
import { createGetRekeyJob } from './rekey/get-rekey-job.ts';
import { createStartRekey, createUnfinishedRekey } from './rekey/start-rekey.ts';
import { createWorkRekey, type RekeyLimits } from './rekey/work-rekey.ts';
import { createManageDependencies } from './workflows/manage-dependencies.ts';
import { createSwitchWorkflow } from './workflows/switch-workflow.ts';
import { createUseWorkflow } from './workflows/use-workflow.ts';

/** What this process remembers for a while. */
export interface BrokerCaches {
  readonly credentials: Cache<OpenGrant>;
  readonly seenGrants: Cache<SeenGrant>;
  readonly callers: Cache<CallerRecord>;
  readonly workflowUses: Cache<number>;
}

export type Broker = ReturnType<typeof createBroker>;

/** Puts the use cases together. They know the outside only by the ports that are given. */
export function createBroker(
  outside: Dependencies,
  caches: BrokerCaches,
  probes: Readonly<Record<string, Probe>>,
  { rekeyLimits }: { readonly rekeyLimits?: RekeyLimits | undefined } = {},
) {
  const dependencies = { ...outside, ...createIndexedStores(outside) };
  const refresher = createGrantRefresher(dependencies);
  const needs = { ...dependencies, refresher };
  const inFlight = createInFlight();

  /**
   * After a change, this process must not hand out what it remembers from before. And it must not stop in the middle of
   * one: a code that is exchanged is spent.
   */
  const forgetting =
    <Request extends readonly unknown[], Result>(
      change: (...request: Request) => Promise<Result>,
      ...more: readonly Pick<Cache<unknown>, 'clear'>[]
    ) =>
    (...request: Request): Promise<Result> =>
      inFlight
        .track(() => change(...request))
        .finally(() => {
          for (const cache of [caches.credentials, ...more]) cache.clear();
        });
  const manageDependencies = createManageDependencies(dependencies);
  const workBatch = createWorkBatch(needs);

  return {
    clock: dependencies.clock,
    logger: dependencies.logger,
    policy: dependencies.policy,
    authenticate: createAuthenticate({ ...dependencies, known: caches.callers }),
    callers: createManageCallers({ ...dependencies, known: caches.callers }),
    createConnection: forgetting(createCreateConnection(needs)),
    getConnection: (query: ConnectionQuery) => findConnection(dependencies, query),
    listConnections: createListConnections(dependencies),
    updateConnection: forgetting(createUpdateConnection(dependencies)),
    deleteConnection: forgetting(createDeleteConnection(dependencies), caches.workflowUses),
    listGrants: createListGrants(dependencies),
    startAuthorization: createStartAuthorization(dependencies),
    openConnectPage: createOpenConnectPage(dependencies),
    finishAuthorization: forgetting(createFinishAuthorization(dependencies)),
    cancelAuthorization: createCancelAuthorization(dependencies),
    testConnection: createTestConnection(needs),
    refreshConnection: forgetting(createRefreshConnection(needs)),
    importTokens: forgetting(createImportTokens(needs)),
    disconnect: forgetting(createDisconnect(dependencies)),
    getCredentials: createGetCredentials({
      ...needs,
      cache: caches.credentials,
      seen: caches.seenGrants,
      useWorkflow: createUseWorkflow({ ...dependencies, lastRecorded: caches.workflowUses }),
    }),
    dependencies: { ...manageDependencies, remove: forgetting(manageDependencies.remove, caches.workflowUses) },
    workflows: createSwitchWorkflow(dependencies),
    startSweep: createStartSweep(dependencies),
    workBatch: (batch: RefreshBatch) => inFlight.track(() => workBatch(batch)),
    reportPoisoned: createReportPoisoned(dependencies),
    reconcile: createReconcile(dependencies),
    getRefreshJob: createGetRefreshJob(dependencies),
    startRekey: createStartRekey(dependencies),
    unfinishedRekey: createUnfinishedRekey(dependencies),
    workRekey: createWorkRekey(dependencies, rekeyLimits),
    getRekeyJob: createGetRekeyJob(dependencies),
    checkHealth: () => checkHealth(probes),
    /** Claims nothing new, and waits for the refreshes and the changes in flight. */
    drain: async () => {
      await refresher.drain();
      await inFlight.idle();
    },
  };
}
