import { dayOf, startOfDay } from '../../domain/audit.ts';
import { type AuditCheckpoint, checkpointDigest } from '../../domain/audit-chain.ts';
import type { Dependencies } from '../dependencies.ts';

type Needs = Pick<Dependencies, 'auditLog' | 'clock' | 'digest' | 'logger'>;

const dayMs = 24 * 60 * 60 * 1000;
/** So long after midnight a head of the day before may still be on its way. */
const settlingMs = 15 * 60 * 1000;

/**
 * Keeps a digest of the heads of each day that is over, up to yesterday, each linked to the one before, and logs it: a
 * log that is kept elsewhere holds what nobody can change here. Two processes make the same. Throws
 * `storage_unavailable`.
 */
export async function keepCheckpoints({ auditLog, clock, digest, logger }: Needs): Promise<void> {
  const yesterday = dayOf(clock.now() - dayMs - settlingMs);
  let last = await auditLog.latestCheckpoint();
  for (;;) {
    const day = last === undefined ? yesterday : dayOf(startOfDay(last.day) + dayMs);
    if (day > yesterday) return;
    const heads = (await auditLog.headsOf(day.slice(0, 6))).filter((head) => head.day === day);
    const prev = last?.digest ?? '';
    const made: AuditCheckpoint = {
      day,
      prev,
      digest: checkpointDigest(day, prev, heads, digest.sha256Base64url),
      heads: heads.length,
      at: clock.now(),
    };
    last = await auditLog.keepCheckpoint(made);
    if (last.digest !== made.digest) logger.error('audit_checkpoint_differs', { ...made, kept: last.digest });
    logger.info('audit_checkpoint', { day, digest: last.digest, prev: last.prev, heads: last.heads });
  }
}
