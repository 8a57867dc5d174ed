import type { ConnectionKey } from '../domain/connection.ts';
import type { ConnectionName, OrgId, WorkflowId } from '../domain/ids.ts';
import type { DisabledWorkflow, WorkflowDependency } from '../domain/workflow.ts';

/** Which workflow uses which connection, and which are disabled. Throws `storage_unavailable` when storage does not answer. */
export interface WorkflowStore {
  /** Records the dependency in both directions, or renews its name and time. A name of null keeps the name there is. */
  record(dependency: WorkflowDependency): Promise<void>;
  /** The dependency of a workflow on a connection of that name, or undefined. One point read. */
  get(org: OrgId, workflowId: WorkflowId, connection: ConnectionName): Promise<WorkflowDependency | undefined>;
  /** Removes both directions. Resolves to false when there is none. */
  remove(org: OrgId, workflowId: WorkflowId, connection: ConnectionName): Promise<boolean>;
  ofWorkflow(org: OrgId, workflowId: WorkflowId): Promise<readonly WorkflowDependency[]>;
  /** The workflows of all organisations that depend on a connection. */
  ofConnection(connection: ConnectionKey): Promise<readonly WorkflowDependency[]>;

  disable(workflow: DisabledWorkflow): Promise<void>;
  /** Resolves to false when it was not disabled. */
  enable(org: OrgId, workflowId: WorkflowId): Promise<boolean>;
  /** One point read. */
  disabled(org: OrgId, workflowId: WorkflowId): Promise<DisabledWorkflow | undefined>;
  listDisabled(org: OrgId): Promise<readonly DisabledWorkflow[]>;
}
