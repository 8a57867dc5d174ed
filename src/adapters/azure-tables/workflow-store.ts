import { odata } from '@azure/data-tables';
import type { WorkflowDependency } from '../../domain/workflow.ts';
import type { WorkflowStore } from '../../ports/workflow-store.ts';
import { changeRow, removeRow, type Surroundings } from './change-row.ts';
import { decodeRow, decodeRows, type OnMalformedRow } from './malformed-rows.ts';
import type { Place, Table } from './table.ts';
import {
  connectionPartition,
  disabledPlace,
  forwardPlace,
  isDisabledRow,
  reversePlace,
  toDependency,
  toDependencyColumns,
  toDisabled,
  toDisabledColumns,
  workflowPartition,
  workflowRange,
} from './workflow-row.ts';

export interface WorkflowStoreOptions extends Surroundings {
  readonly table: Table;
  readonly onMalformedRow: OnMalformedRow;
}

/**
 * Dependencies on Table Storage, in both directions. The row of the workflow is the truth: the one of the connection
 * is written before it and removed after it, so that a crash leaves at most a row of the connection too many.
 */
export function createWorkflowStore(options: WorkflowStoreOptions): WorkflowStore {
  const { table, onMalformedRow } = options;

  /** Writes the row, and keeps the name and time there are where the dependency has none. */
  async function renew(place: Place, dependency: WorkflowDependency): Promise<WorkflowDependency | undefined> {
    let before: WorkflowDependency | undefined;
    await changeRow(
      table,
      place,
      async (current) => {
        before = current && decodeRow(table, current, toDependency);
        return toDependencyColumns({
          ...dependency,
          workflowName: dependency.workflowName ?? before?.workflowName ?? null,
          lastAccessedAt: dependency.lastAccessedAt ?? before?.lastAccessedAt ?? null,
        });
      },
      options,
    );
    return before;
  }

  return {
    async record(dependency) {
      const { org, workflowId, connection, connectionOrg } = dependency;
      await renew(reversePlace(dependency), dependency);
      const before = await renew(forwardPlace(org, workflowId, connection), dependency);
      if (before !== undefined && before.connectionOrg !== connectionOrg) await removeRow(table, reversePlace(before));
    },

    async get(org, workflowId, connection) {
      const row = await table.read(forwardPlace(org, workflowId, connection));
      return row && decodeRow(table, row, toDependency);
    },

    async remove(org, workflowId, connection) {
      const removed = await removeRow(table, forwardPlace(org, workflowId, connection));
      if (removed === undefined) return false;
      await removeRow(table, reversePlace(decodeRow(table, removed, toDependency)));
      return true;
    },

    async ofWorkflow(org, workflowId) {
      const { from, before } = workflowRange(workflowId);
      const rows = await table.all({
        partitionKey: workflowPartition(org),
        and: odata`RowKey ge ${from} and RowKey lt ${before}`,
      });
      const dependencies = rows.filter((row) => !isDisabledRow(row));
      return decodeRows(table, dependencies, toDependency, onMalformedRow);
    },

    async ofConnection(connection) {
      const rows = await table.all({ partitionKey: connectionPartition(connection) });
      return decodeRows(table, rows, toDependency, onMalformedRow);
    },

    async disable(workflow) {
      const columns = toDisabledColumns(workflow);
      await changeRow(table, disabledPlace(workflow.org, workflow.workflowId), async () => columns, options);
    },

    async enable(org, workflowId) {
      return (await removeRow(table, disabledPlace(org, workflowId))) !== undefined;
    },

    async disabled(org, workflowId) {
      const row = await table.read(disabledPlace(org, workflowId));
      return row && decodeRow(table, row, toDisabled);
    },

    async listDisabled(org) {
      const rows = await table.all({ partitionKey: workflowPartition(org), and: odata`kind eq ${'disabled'}` });
      return decodeRows(table, rows.filter(isDisabledRow), toDisabled, onMalformedRow);
    },
  };
}
