import { oldestKeptMonth } from '../../domain/audit.ts';
import type { Connection } from '../../domain/connection.ts';
import { secretWarning } from '../../domain/connection-warnings.ts';
import { hasCode } from '../../domain/errors.ts';
import {
  type ReconciledPage,
  type ReconcileFigures,
  type ReconcilePhase,
  sumReconcileFigures,
} from '../../domain/reconcile-round.ts';
import type { DatedEntry } from '../../ports/due-index.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import { keepCheckpoints } from '../audit/keep-checkpoints.ts';
import type { Dependencies } from '../dependencies.ts';
import { discardDeadGrant, isDead } from './dead-grants.ts';
import { dropStaleEntry, putMissingEntry } from './due-entries.ts';

export type ReconcileNeeds = Pick<
  Dependencies,
  | 'clock'
  | 'random'
  | 'digest'
  | 'logger'
  | 'connections'
  | 'grants'
  | 'dueIndex'
  | 'transactions'
  | 'jobs'
  | 'auditLog'
> & {
  readonly policy: Pick<Dependencies['policy'], 'jobRetentionDays' | 'auditRetentionDays'>;
  readonly audit: Pick<AuditTrail, 'note'>;
};

type Figures = Partial<ReconcileFigures>;
type Step = (needs: ReconcileNeeds, cursor: string | null) => AsyncIterable<ReconciledPage>;

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** A younger entry may be of a write that is still under way. */
const youngEntryMs = hourMs;
const expiredTransactionsKeptMs = dayMs;
const atOnce = 16;

/** What is done in each phase, page by page from a cursor. Every page can be done twice, and by two at once. */
export const reconcileSteps: Readonly<Record<ReconcilePhase, Step>> = {
  async *connections(needs, from) {
    for await (const { items, cursor } of needs.connections.walkOwn(from)) {
      for (const { connection } of items) warnOfSecret(needs, connection);
      yield { figures: await sumOver(items, ({ own }) => mendEntry(needs, own)), cursor };
    }
  },

  async *users(needs, from) {
    for await (const { items, cursor } of needs.grants.walkUsers(from)) {
      const connectionOf = readOnce(needs);
      yield { figures: await sumOver(items, (stored) => mendUser(needs, stored, connectionOf)), cursor };
    }
  },

  async *entries(needs, from) {
    for await (const { entries, cursor } of needs.dueIndex.walk(from)) {
      yield { figures: await sumOver(entries, (entry) => judgeEntry(needs, entry)), cursor };
    }
  },

  async *transactions({ transactions, clock }, from) {
    for await (const page of transactions.purgeExpired(clock.now() - expiredTransactionsKeptMs, from)) {
      yield { figures: { purgedTransactions: page.removed }, cursor: page.cursor };
    }
  },

  async *jobs({ jobs, clock, policy }, from) {
    for await (const page of jobs.purge(clock.now() - policy.jobRetentionDays * dayMs, from)) {
      yield { figures: { purgedJobRows: page.removed }, cursor: page.cursor };
    }
  },

  async *audit(needs, from) {
    if (from === null) await keepCheckpointsIfReadable(needs);
    const month = oldestKeptMonth(needs.clock.now(), needs.policy.auditRetentionDays);
    for await (const page of needs.auditLog.purge(month, from)) {
      yield { figures: { purgedAuditRows: page.removed }, cursor: page.cursor };
    }
  },
};

/** One row of the audit log that makes no sense must not stop the reconcile: rounds would never end again. */
async function keepCheckpointsIfReadable(needs: ReconcileNeeds): Promise<void> {
  try {
    await keepCheckpoints(needs);
  } catch (cause) {
    if (hasCode(cause, 'storage_unavailable')) throw cause;
    needs.logger.error('audit_checkpoint_not_kept', { cause });
  }
}

/** A round comes by once a day, and so does the line. */
function warnOfSecret({ clock, logger }: ReconcileNeeds, connection: Connection): void {
  const warning = secretWarning(connection, clock.now());
  if (warning === null || warning.code === 'client_secret_missing') return;
  const expiresAt = new Date(connection.config.clientSecretExpiresAt ?? 0).toISOString();
  logger.warn(warning.code, { org: connection.org, connection: connection.name, expires_at: expiresAt });
}

/** Works on the items of a page, some at once. An item that makes no sense is counted and holds nothing up. */
async function sumOver<Item>(items: readonly Item[], work: (item: Item) => Promise<Figures>): Promise<Figures> {
  const all: Figures[] = [];
  for (let start = 0; start < items.length; start += atOnce) {
    const some = items.slice(start, start + atOnce).map(async (item) => {
      try {
        return await work(item);
      } catch (error) {
        if (hasCode(error, 'internal_error')) return { unreadable: 1 };
        throw error;
      }
    });
    all.push(sumReconcileFigures(await Promise.all(some)));
  }
  return sumReconcileFigures(all);
}

async function mendEntry(needs: ReconcileNeeds, stored: StoredGrant): Promise<Figures> {
  return { grants: 1, inserted: (await putMissingEntry(needs, stored)) ? 1 : 0 };
}

async function mendUser(
  needs: ReconcileNeeds,
  stored: StoredGrant,
  connectionOf: (stored: StoredGrant) => Promise<Connection | undefined>,
): Promise<Figures> {
  const connection = await connectionOf(stored);
  if (!isDead(stored, connection)) return mendEntry(needs, stored);
  const outcome = await discardDeadGrant(needs, stored, connection);
  return { grants: 1, ...(outcome !== 'kept' && { [outcome]: 1 }) };
}

/** Users of one connection lie together, so that one read serves them all. It follows the page that they came with. */
function readOnce({ connections }: ReconcileNeeds): (stored: StoredGrant) => Promise<Connection | undefined> {
  const reads = new Map<string, Promise<Connection | undefined>>();
  return ({ key: { connectionOrg, connection } }) => {
    const name = `${connectionOrg}|${connection}`;
    const read =
      reads.get(name) ?? connections.get({ org: connectionOrg, name: connection }).then((it) => it?.connection);
    reads.set(name, read);
    return read;
  };
}

async function judgeEntry(needs: ReconcileNeeds, entry: DatedEntry): Promise<Figures> {
  const isYoung = needs.clock.now() - entry.writtenAt < youngEntryMs;
  return { entries: 1, removed: !isYoung && (await dropStaleEntry(needs, entry)) ? 1 : 0 };
}
