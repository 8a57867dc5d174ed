import type { ConnectionName, OrgId, WorkflowId } from './ids.ts';

/** A workflow's use of a connection. `connectionOrg` is the organisation whose connection it is. */
export interface WorkflowDependency {
  readonly org: OrgId;
  readonly workflowId: WorkflowId;
  readonly workflowName: string | null;
  readonly connectionOrg: OrgId;
  readonly connection: ConnectionName;
  readonly lastAccessedAt: number | null;
}

/** A workflow that gets no credentials until somebody enables it. */
export interface DisabledWorkflow {
  readonly org: OrgId;
  readonly workflowId: WorkflowId;
  readonly reason: string;
  readonly disabledAt: number;
  readonly disabledBy: string;
  readonly connection: ConnectionName | null;
}
