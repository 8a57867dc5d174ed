import type { ApiKeyRecord } from '../domain/caller.ts';
import type { Cache } from '../ports/cache.ts';
import { createAuditTrail } from './audit/audit-trail.ts';
import { createListAudit } from './audit/list-audit.ts';
import { createVerifyAudit } from './audit/verify-audit.ts';
import { createCancelAuthorization } from './authorization/cancel-authorization.ts';
import { createFinishAuthorization } from './authorization/finish-authorization.ts';
import { createOpenConnectPage } from './authorization/open-connect-page.ts';
import { createPollDevice } from './authorization/poll-device.ts';
import { createStartAuthorization } from './authorization/start-authorization.ts';
import { createBackgroundWork } from './background-work.ts';
import { createAuthenticate } from './callers/authenticate.ts';
import type { KnownPrincipal } from './callers/authenticate-principal.ts';
import { createManageCallers } from './callers/manage-callers.ts';
import { createCheckHealth, type Probe } from './check-health.ts';
import { createCreateConnection } from './connections/create-connection.ts';
import { createDeleteConnection } from './connections/delete-connection.ts';
import { createDisconnect } from './connections/disconnect.ts';
import { createExportConnections } from './connections/export-connections.ts';
import { type ConnectionQuery, findConnection } from './connections/find-connection.ts';
import { createImportConnections } from './connections/import-connections.ts';
import { createImportTokens } from './connections/import-tokens.ts';
import { createIntrospect } from './connections/introspect.ts';
import { createListConnections } from './connections/list-connections.ts';
import { createListGrants } from './connections/list-grants.ts';
import { createGetPublicKeys } from './connections/public-keys.ts';
import { createTestConnection } from './connections/test-connection.ts';
import { createUpdateConnection } from './connections/update-connection.ts';
import { createExchangeToken, type ExchangeRequest } from './credentials/exchange-token.ts';
import { createGetCredentials, type OpenGrant, type SeenGrant } from './credentials/get-credentials.ts';
import type { Dependencies } from './dependencies.ts';
import { createForgetting } from './forgetting.ts';
import { createInFlight } from './in-flight.ts';
import { createGetRefreshJob } from './refresh/get-refresh-job.ts';
import { createIndexedStores } from './refresh/indexed-stores.ts';
import { createRefreshConnection } from './refresh/refresh-connection.ts';
import { createGrantRefresher } from './refresh/refresh-grant.ts';
import { createGetRekeyJob } from './rekey/get-rekey-job.ts';
import { createStartRekey } from './rekey/start-rekey.ts';
import type { RekeyLimits } from './rekey/work-rekey.ts';
import { createBulkRevoke } from './revocation/bulk-revoke.ts';
import { createManageDependencies } from './workflows/manage-dependencies.ts';
import { createSwitchWorkflow } from './workflows/switch-workflow.ts';
import { createUseWorkflow } from './workflows/use-workflow.ts';

/** What this process remembers for a while. */
export interface BrokerCaches {
  readonly credentials: Cache<OpenGrant>;
  readonly knownKeys: Cache<ApiKeyRecord>;
  readonly knownPrincipals: Cache<KnownPrincipal>;
  readonly recordedUses: Cache<number>;
  readonly seenGrants: Cache<SeenGrant>;
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
  const audit = createAuditTrail(outside);
  const dependencies = { ...outside, ...createIndexedStores(outside), audit };
  const refresher = createGrantRefresher(dependencies);
  const needs = { ...dependencies, refresher };
  const inFlight = createInFlight();
  let isDraining = false;

  const forgetting = createForgetting(inFlight, caches.credentials);
  const createConnection = createCreateConnection(needs);
  const manageDependencies = createManageDependencies(dependencies);
  const exchangeToken = createExchangeToken({
    ...dependencies,
    useWorkflow: createUseWorkflow({ ...dependencies, lastRecorded: caches.workflowUses }),
  });

  return {
    clock: dependencies.clock,
    providers: dependencies.providers,
    logger: dependencies.logger,
    context: dependencies.context,
    audit,
    listAudit: createListAudit(dependencies),
    verifyAudit: createVerifyAudit(dependencies),
    policy: dependencies.policy,
    limits: dependencies.limits,
    authenticate: createAuthenticate({ ...dependencies, ...caches }),
    callers: createManageCallers({ ...dependencies, ...caches }),
    createConnection: forgetting(createConnection),
    importConnections: forgetting(createImportConnections({ ...needs, createConnection })),
    exportConnections: createExportConnections(dependencies),
    getConnection: (query: ConnectionQuery) => findConnection(dependencies, query),
    listConnections: createListConnections(dependencies),
    updateConnection: forgetting(createUpdateConnection(dependencies)),
    deleteConnection: forgetting(createDeleteConnection(dependencies), { more: [caches.workflowUses] }),
    listGrants: createListGrants(dependencies),
    getPublicKeys: createGetPublicKeys(dependencies),
    startAuthorization: createStartAuthorization(dependencies),
    openConnectPage: createOpenConnectPage(dependencies),
    finishAuthorization: forgetting(createFinishAuthorization(dependencies)),
    pollDevice: forgetting(createPollDevice({ ...dependencies, isDraining: () => isDraining }), {
      isChange: (next) => next === null,
    }),
    cancelAuthorization: createCancelAuthorization(dependencies),
    testConnection: createTestConnection(needs),
    refreshConnection: forgetting(createRefreshConnection(needs)),
    importTokens: forgetting(createImportTokens(needs)),
    disconnect: forgetting(createDisconnect(dependencies)),
    introspect: createIntrospect(dependencies),
    bulkRevoke: forgetting(createBulkRevoke(dependencies)),
    getCredentials: createGetCredentials({
      ...needs,
      cache: caches.credentials,
      seen: caches.seenGrants,
      useWorkflow: createUseWorkflow({ ...dependencies, lastRecorded: caches.workflowUses }),
    }),
    exchangeToken: (request: ExchangeRequest) => inFlight.track(() => exchangeToken(request)),
    dependencies: {
      ...manageDependencies,
      remove: forgetting(manageDependencies.remove, { more: [caches.workflowUses] }),
    },
    workflows: createSwitchWorkflow(dependencies),
    ...createBackgroundWork(needs, inFlight, rekeyLimits),
    getRefreshJob: createGetRefreshJob(dependencies),
    startRekey: createStartRekey(dependencies),
    getRekeyJob: createGetRekeyJob(dependencies),
    checkHealth: createCheckHealth(dependencies, probes),
    /**
     * Claims nothing new, waits for the refreshes and the changes in flight, and writes what the audit log
     * has only counted so far.
     */
    drain: async () => {
      isDraining = true;
      await refresher.drain();
      await inFlight.idle();
      await audit.drain();
    },
  };
}
