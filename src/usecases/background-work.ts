import type { AuditTrail } from './audit/audit-trail.ts';
import type { Dependencies } from './dependencies.ts';
import type { InFlight } from './in-flight.ts';
import { createReportPoisoned } from './refresh/poisoned-batch.ts';
import { createReconcile } from './refresh/reconcile.ts';
import { createWorkBatch } from './refresh/refresh-batch.ts';
import type { GrantRefresher } from './refresh/refresh-grant.ts';
import { createStartSweep, type RefreshBatch } from './refresh/sweep.ts';
import { createUnfinishedRekey } from './rekey/start-rekey.ts';
import { createWorkRekey, type RekeyLimits } from './rekey/work-rekey.ts';
import { createDueRevocations, createWorkRevocation } from './revocation/work-revocation.ts';

type Needs = Dependencies & { readonly refresher: GrantRefresher; readonly audit: AuditTrail };

/** What timers and queues call. */
export function createBackgroundWork(needs: Needs, inFlight: InFlight, rekeyLimits: RekeyLimits | undefined) {
  const workBatch = createWorkBatch(needs);
  const workRevocation = createWorkRevocation(needs);
  return {
    startSweep: createStartSweep(needs),
    workBatch: (batch: RefreshBatch) => inFlight.track(() => workBatch(batch)),
    dueRevocations: createDueRevocations(needs),
    workRevocation: (id: string) => inFlight.track(() => workRevocation(id)),
    reportPoisoned: createReportPoisoned(needs),
    reconcile: createReconcile(needs),
    unfinishedRekey: createUnfinishedRekey(needs),
    workRekey: createWorkRekey(needs, rekeyLimits),
  };
}
