import type { Connection } from '../../domain/connection.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { OrgId, WorkflowId } from '../../domain/ids.ts';
import type { Cache } from '../../ports/cache.ts';
import type { Dependencies } from '../dependencies.ts';

export type UseWorkflow = (org: OrgId, workflowId: WorkflowId, connection: Connection) => Promise<void>;

type Needs = Pick<Dependencies, 'clock' | 'workflows'> & { readonly lastRecorded: Cache<number> };

/** The time of the last access is written this often at most. */
const recordEveryMs = 15 * 60 * 1000;

/**
 * Lets a workflow use a connection and remembers that it did. Throws `workflow_disabled` when somebody has switched
 * the workflow off.
 */
export function createUseWorkflow({ clock, workflows, lastRecorded }: Needs): UseWorkflow {
  return async (org, workflowId, connection) => {
    const disabled = await workflows.disabled(org, workflowId);
    if (disabled !== undefined) {
      throw new BrokerError('workflow_disabled', `The workflow "${workflowId}" is disabled: ${disabled.reason}`);
    }
    const key = JSON.stringify([org, workflowId, connection.org, connection.name]);
    const now = clock.now();
    if (now - (lastRecorded.get(key) ?? 0) < recordEveryMs) return;
    const known = await workflows.get(org, workflowId, connection.name);
    const isRecent = known?.connectionOrg === connection.org && now - (known.lastAccessedAt ?? 0) < recordEveryMs;
    const lastAccessedAt = isRecent ? (known.lastAccessedAt ?? now) : now;
    if (!isRecent) {
      const place = { org, workflowId, connectionOrg: connection.org, connection: connection.name };
      await workflows.record({ ...place, workflowName: null, lastAccessedAt });
    }
    lastRecorded.set(key, lastAccessedAt);
  };
}
