import { BrokerError } from '../../domain/errors.ts';
import type { ConnectionName, OrgId, WorkflowId } from '../../domain/ids.ts';
import type { WorkflowDependency } from '../../domain/workflow.ts';
import { findConnection } from '../connections/find-connection.ts';
import type { Dependencies } from '../dependencies.ts';

export interface ManageDependencies {
  /** Declares that a workflow depends on a connection. Throws `connection_not_found`. */
  add(request: {
    readonly org: OrgId;
    readonly workflowId: WorkflowId;
    readonly workflowName: string | null;
    readonly connection: ConnectionName;
  }): Promise<WorkflowDependency>;
  list(org: OrgId, workflowId: WorkflowId): Promise<readonly WorkflowDependency[]>;
  /** Throws `dependency_not_found`. */
  remove(org: OrgId, workflowId: WorkflowId, connection: ConnectionName): Promise<void>;
}

export function createManageDependencies(needs: Pick<Dependencies, 'connections' | 'workflows'>): ManageDependencies {
  return {
    async add({ org, workflowId, workflowName, connection }) {
      const found = await findConnection(needs, { org, name: connection });
      const known = await needs.workflows.get(org, workflowId, connection);
      const dependency = {
        org,
        workflowId,
        workflowName,
        connectionOrg: found.connection.org,
        connection,
        lastAccessedAt: known?.lastAccessedAt ?? null,
      };
      await needs.workflows.record(dependency);
      return { ...dependency, workflowName: workflowName ?? known?.workflowName ?? null };
    },
    list: (org, workflowId) => needs.workflows.ofWorkflow(org, workflowId),
    async remove(org, workflowId, connection) {
      if (await needs.workflows.remove(org, workflowId, connection)) return;
      throw new BrokerError('dependency_not_found', `"${workflowId}" does not depend on a connection "${connection}".`);
    },
  };
}
