import type { ConnectionKey } from '../../domain/connection.ts';
import type { ConnectionName, OrgId, WorkflowId } from '../../domain/ids.ts';
import type { DisabledWorkflow, WorkflowDependency } from '../../domain/workflow.ts';
import { type Columns, columnReader, numberColumn, textColumn } from './columns.ts';
import type { Place, Row } from './table.ts';

/** No connection's name has an exclamation mark. */
const disabledMark = '!disabled';

export function workflowPartition(org: OrgId): string {
  return `w|${org}`;
}

/** Where the rows of a workflow begin, and where those of the next workflow can begin at the earliest. */
export function workflowRange(workflowId: WorkflowId): { readonly from: string; readonly before: string } {
  return { from: `${workflowId}|`, before: `${workflowId}}` };
}

/** From a workflow to a connection of this name. */
export function forwardPlace(org: OrgId, workflowId: WorkflowId, connection: ConnectionName): Place {
  return { partitionKey: workflowPartition(org), rowKey: `${workflowId}|${connection}` };
}

export function connectionPartition({ org, name }: ConnectionKey): string {
  return `c|${org}|${name}`;
}

/** From a connection to a workflow. */
export function reversePlace({ org, workflowId, connectionOrg, connection }: WorkflowDependency): Place {
  return {
    partitionKey: connectionPartition({ org: connectionOrg, name: connection }),
    rowKey: `${org}|${workflowId}`,
  };
}

export function disabledPlace(org: OrgId, workflowId: WorkflowId): Place {
  return { partitionKey: workflowPartition(org), rowKey: `${workflowId}|${disabledMark}` };
}

export function isDisabledRow(row: Place): boolean {
  return row.rowKey.endsWith(`|${disabledMark}`);
}

export function toDependencyColumns(dependency: WorkflowDependency): Columns {
  return {
    kind: 'dependency',
    org: dependency.org,
    workflow_id: dependency.workflowId,
    workflow_name: textColumn(dependency.workflowName),
    connection_org: dependency.connectionOrg,
    connection: dependency.connection,
    last_accessed_at: numberColumn(dependency.lastAccessedAt),
  };
}

export function toDependency({ columns }: Row): WorkflowDependency {
  const read = columnReader(columns);
  return {
    org: read.text('org') as OrgId,
    workflowId: read.text('workflow_id') as WorkflowId,
    workflowName: read.optionalText('workflow_name'),
    connectionOrg: read.text('connection_org') as OrgId,
    connection: read.text('connection') as ConnectionName,
    lastAccessedAt: read.optionalNumber('last_accessed_at'),
  };
}

export function toDisabledColumns(workflow: DisabledWorkflow): Columns {
  return {
    kind: 'disabled',
    org: workflow.org,
    workflow_id: workflow.workflowId,
    reason: workflow.reason,
    disabled_at: numberColumn(workflow.disabledAt),
    disabled_by: workflow.disabledBy,
    connection: textColumn(workflow.connection),
  };
}

export function toDisabled({ columns }: Row): DisabledWorkflow {
  const read = columnReader(columns);
  return {
    org: read.text('org') as OrgId,
    workflowId: read.text('workflow_id') as WorkflowId,
    reason: read.text('reason'),
    disabledAt: read.number('disabled_at'),
    disabledBy: read.text('disabled_by'),
    connection: read.optionalText('connection') as ConnectionName | null,
  };
}
