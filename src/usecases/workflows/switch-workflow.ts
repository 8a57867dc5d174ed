import type { OrgId, WorkflowId } from '../../domain/ids.ts';
import type { DisabledWorkflow } from '../../domain/workflow.ts';
import type { Dependencies } from '../dependencies.ts';

export interface SwitchWorkflow {
  /** Takes the credentials away from a workflow until somebody enables it. Resolves to since when it is disabled. */
  disable(
    org: OrgId,
    workflowId: WorkflowId,
    by: { readonly callerId: string; readonly reason: string | null },
  ): Promise<number>;
  /** Gives them back. One that is not disabled stays as it is. Resolves to the time. */
  enable(org: OrgId, workflowId: WorkflowId): Promise<number>;
  listDisabled(org: OrgId): Promise<readonly DisabledWorkflow[]>;
}

export function createSwitchWorkflow({ clock, workflows }: Pick<Dependencies, 'clock' | 'workflows'>): SwitchWorkflow {
  return {
    async disable(org, workflowId, { callerId, reason }) {
      const disabledAt = clock.now();
      const disabled = { org, workflowId, disabledAt, disabledBy: callerId, connection: null };
      await workflows.disable({ ...disabled, reason: reason ?? 'disabled by an operator' });
      return disabledAt;
    },
    async enable(org, workflowId) {
      await workflows.enable(org, workflowId);
      return clock.now();
    },
    listDisabled: (org) => workflows.listDisabled(org),
  };
}
