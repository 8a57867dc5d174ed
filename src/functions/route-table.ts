import type { Route } from './http/route.ts';
import { auditList } from './routes/audit-list.ts';
import { callbackGet } from './routes/callback-get.ts';
import { callbackPost } from './routes/callback-post.ts';
import { callersCreate } from './routes/callers-create.ts';
import { callersDelete } from './routes/callers-delete.ts';
import { callersList } from './routes/callers-list.ts';
import { callersRotate } from './routes/callers-rotate.ts';
import { connectPage } from './routes/connect-page.ts';
import { connectionsAuthorize } from './routes/connections-authorize.ts';
import { connectionsCancel } from './routes/connections-cancel.ts';
import { connectionsCreate } from './routes/connections-create.ts';
import { connectionsDelete } from './routes/connections-delete.ts';
import { connectionsDisconnect } from './routes/connections-disconnect.ts';
import { connectionsEvents } from './routes/connections-events.ts';
import { connectionsGet } from './routes/connections-get.ts';
import { connectionsGrants } from './routes/connections-grants.ts';
import { connectionsIntrospect } from './routes/connections-introspect.ts';
import { connectionsList } from './routes/connections-list.ts';
import { connectionsRefresh } from './routes/connections-refresh.ts';
import { connectionsTest } from './routes/connections-test.ts';
import { connectionsTokens } from './routes/connections-tokens.ts';
import { connectionsUpdate } from './routes/connections-update.ts';
import { credentialsExchange } from './routes/credentials-exchange.ts';
import { credentialsGet } from './routes/credentials-get.ts';
import { docs } from './routes/docs.ts';
import { exportConnections } from './routes/export.ts';
import { health } from './routes/health.ts';
import { healthReady } from './routes/health-ready.ts';
import { importConnections } from './routes/import.ts';
import { jwks } from './routes/jwks.ts';
import { me } from './routes/me.ts';
import { openApiJson } from './routes/openapi-json.ts';
import { providersGet } from './routes/providers-get.ts';
import { providersList } from './routes/providers-list.ts';
import { refreshAll } from './routes/refresh-all.ts';
import { refreshJobStatus } from './routes/refresh-job-status.ts';
import { rekey } from './routes/rekey.ts';
import { rekeyJobStatus } from './routes/rekey-job-status.ts';
import { revoke } from './routes/revoke.ts';
import { workflowDependenciesAdd } from './routes/workflow-dependencies-add.ts';
import { workflowDependenciesList } from './routes/workflow-dependencies-list.ts';
import { workflowDependenciesRemove } from './routes/workflow-dependencies-remove.ts';
import { workflowsDisable } from './routes/workflows-disable.ts';
import { workflowsDisabled } from './routes/workflows-disabled.ts';
import { workflowsEnable } from './routes/workflows-enable.ts';

/** Every route of the API, in the order of the documentation. Functions, validation, permissions and OpenAPI follow from it. */
export const routeTable: readonly Route[] = [
  connectionsCreate,
  connectionsList,
  connectionsGet,
  connectionsUpdate,
  connectionsDelete,
  connectionsTest,
  connectionsRefresh,
  connectionsTokens,
  connectionsDisconnect,
  connectionsIntrospect,
  connectionsGrants,
  connectionsEvents,
  connectionsAuthorize,
  connectPage,
  callbackGet,
  callbackPost,
  connectionsCancel,
  jwks,
  credentialsGet,
  credentialsExchange,
  workflowDependenciesAdd,
  workflowDependenciesList,
  workflowDependenciesRemove,
  workflowsDisabled,
  workflowsEnable,
  workflowsDisable,
  refreshAll,
  refreshJobStatus,
  revoke,
  exportConnections,
  importConnections,
  rekey,
  rekeyJobStatus,
  auditList,
  providersList,
  providersGet,
  callersList,
  callersCreate,
  callersRotate,
  callersDelete,
  me,
  health,
  healthReady,
  openApiJson(() => routeTable),
  docs(() => routeTable),
];
