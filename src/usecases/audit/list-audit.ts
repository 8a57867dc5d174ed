import { oldestKeptMonth } from '../../domain/audit.ts';
import type { AuditPage, AuditQuery } from '../../ports/audit-log.ts';
import type { Dependencies } from '../dependencies.ts';

/** `from` and `to` null: everything that is kept. */
export type ListAudit = (
  query: Omit<AuditQuery, 'from' | 'to'> & { readonly from: number | null; readonly to: number | null },
) => Promise<AuditPage>;

type Needs = Pick<Dependencies, 'auditLog' | 'clock'> & {
  readonly policy: Pick<Dependencies['policy'], 'auditRetentionDays'>;
};

/** A record of another process whose clock is a little ahead is shown too. */
const aheadMs = 60_000;

/** Lists what was recorded for one organisation, newest first. Throws `validation_failed` for a bad continuation. */
export function createListAudit({ auditLog, clock, policy }: Needs): ListAudit {
  return async ({ from, to, ...query }) => {
    const now = clock.now();
    const month = oldestKeptMonth(now, policy.auditRetentionDays);
    const oldest = Date.UTC(Number(month.slice(0, 4)), Number(month.slice(4)) - 1, 1);
    const span = { from: Math.max(from ?? 0, oldest), to: Math.min(to ?? Number.MAX_SAFE_INTEGER, now + aheadMs) };
    if (span.from >= span.to) return { items: [], continuation: null };
    return auditLog.list({ ...query, ...span });
  };
}
