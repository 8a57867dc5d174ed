import type { Caller } from '../../domain/caller.ts';
import { type ConnectionKey, secretRefs } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { WorkflowId } from '../../domain/ids.ts';
import type { WorkflowDependency } from '../../domain/workflow.ts';
import type { StoredConnection } from '../../ports/connection-store.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Revocation } from './discard-tokens.ts';
import { type ConnectionQuery, connectionNotFound, findConnectionToChange } from './find-connection.ts';
import { dropClientSecret } from './keep-client-secret.ts';
import { type RevokeNext, startRevoking } from './revoke-in-turn.ts';
import { everyUserOf } from './walk-grants.ts';

export interface ConnectionDeletion extends ConnectionQuery {
  readonly caller: Caller;
  readonly disableWorkflows: boolean;
  /** Undefined: as `revokeTokens` has it. */
  readonly revoke: boolean | undefined;
}

export interface DeletedConnection {
  readonly disabledWorkflows: readonly WorkflowId[];
  /** The provider confirmed that the organisation's own tokens are revoked. */
  readonly isRevoked: boolean;
  /** Revocations that the provider did not answer, and that will be tried again. */
  readonly pendingIds: readonly string[];
}

export type DeleteConnection = (request: ConnectionDeletion) => Promise<DeletedConnection>;

type Needs = Pick<
  Dependencies,
  | 'clock'
  | 'random'
  | 'connections'
  | 'grants'
  | 'transactions'
  | 'revocations'
  | 'workflows'
  | 'vault'
  | 'providers'
  | 'policy'
  | 'authorizationServer'
  | 'logger'
>;

/**
 * Deletes a connection with its tokens, its users' grants, what is pending and its secrets. The row goes
 * first: from then on nobody gets credentials and no refresh can write. The secrets go before the users, of whom there
 * may be many: a run that is cut off leaves none in the vault. Throws `connection_not_found`, and
 * `workflows_depend` when workflows use it and `disableWorkflows` does not say to switch them off.
 */
export function createDeleteConnection(needs: Needs): DeleteConnection {
  return async (request) => {
    const { connection } = await findConnectionToChange(needs, { ...request, userId: null });
    const dependents = await dependentsOf(needs, connection);
    if (dependents.length > 0 && !request.disableWorkflows) throw workflowsDepend(dependents);
    const revokeNext = await startRevoking(needs, connection, request.revoke);
    const removed = await needs.connections.remove(connection);
    if (removed === undefined) throw connectionNotFound(request.name);
    await disableAll(needs, request, dependents);
    await forgetPending(needs, removed.own);
    for (const reference of secretRefs(removed.connection)) await dropClientSecret(needs, reference);
    const own = await revokeNext(removed.connection, removed.own);
    const ofUsers = await removeUserGrants(needs, removed, revokeNext);
    return {
      disabledWorkflows: [...new Set(dependents.map(({ workflowId }) => workflowId))],
      isRevoked: own.isRevoked,
      pendingIds: [own, ...ofUsers].map(({ pendingId }) => pendingId).filter((id) => id !== null),
    };
  };
}

/** A crash may have left a note at the connection of a workflow that uses another one by now. */
async function dependentsOf({ workflows }: Needs, connection: ConnectionKey): Promise<readonly WorkflowDependency[]> {
  const noted = await workflows.ofConnection(connection);
  const current = await Promise.all(noted.map((each) => workflows.get(each.org, each.workflowId, each.connection)));
  return current.filter((each) => each !== undefined && each.connectionOrg === connection.org) as WorkflowDependency[];
}

async function disableAll(
  needs: Needs,
  request: ConnectionDeletion,
  dependents: readonly WorkflowDependency[],
): Promise<void> {
  for (const { org, workflowId, connection } of dependents) {
    await needs.workflows.disable({
      org,
      workflowId,
      connection,
      reason: `connection "${connection}" was deleted`,
      disabledAt: needs.clock.now(),
      disabledBy: request.caller.id,
    });
    await needs.workflows.remove(org, workflowId, connection);
  }
}

async function removeUserGrants(
  needs: Needs,
  { connection }: StoredConnection,
  revokeNext: RevokeNext,
): Promise<readonly Revocation[]> {
  const revocations: Revocation[] = [];
  for await (const listed of everyUserOf(needs, connection)) {
    // What was deleted may be newer than what was listed: a refresh that was under way can still have written.
    const removed = await needs.grants.removeUser(listed.key);
    await forgetPending(needs, removed ?? listed);
    if (removed !== undefined) revocations.push(await revokeNext(connection, removed));
  }
  return revocations;
}

/** Nobody could finish it any more; its link must not open a page that looks as if. */
async function forgetPending({ transactions }: Needs, { grant }: StoredGrant): Promise<void> {
  if (grant.pending !== null) await transactions.consume(grant.pending.stateHash);
}

function workflowsDepend(dependents: readonly WorkflowDependency[]): BrokerError {
  const wire = dependents.map(({ workflowId, workflowName, org, lastAccessedAt }) => ({
    workflow_id: workflowId,
    workflow_name: workflowName,
    org_id: org,
    last_accessed_at: lastAccessedAt === null ? null : new Date(lastAccessedAt).toISOString(),
  }));
  return new BrokerError(
    'workflows_depend',
    `${dependents.length} workflow(s) use this connection. Repeat with confirm_disable_workflows=true to disable them.`,
    { extra: { dependent_workflows: wire } },
  );
}
