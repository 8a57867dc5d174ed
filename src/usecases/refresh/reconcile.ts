import { hasCode } from '../../domain/errors.ts';
import { afterPage, newRound, type ReconciledPage, type ReconcileRound } from '../../domain/reconcile-round.ts';
import type { Dependencies } from '../dependencies.ts';
import { type ReconcileNeeds, reconcileSteps } from './reconcile-steps.ts';

export interface ReconcileRun {
  readonly round: ReconcileRound;
  /** `paused`: the time was up, the next run goes on. `overtaken`: another process has gone on with the round. */
  readonly state: 'ended' | 'paused' | 'overtaken';
}

/** Undefined: nothing is to be done yet. */
export type Reconcile = () => Promise<ReconcileRun | undefined>;

type Needs = ReconcileNeeds & Pick<Dependencies, 'clock' | 'reconcileRounds' | 'logger'>;

const restMs = 23 * 60 * 60 * 1000;
const budgetMs = 4 * 60 * 1000;

/**
 * Makes the due index and the grants agree, in both directions, purges what has expired, and keeps the audit log's
 * checkpoints. A round begins when the
 * last one ended 23 hours ago; a run goes on with the round under way for four minutes, and keeps after each page how
 * far it is. Of two processes the one that is behind stops, and whatever both did is done once. Throws
 * `storage_unavailable`: the next run goes on from the last page.
 */
export function createReconcile(needs: Needs, options: { readonly budgetMs?: number } = {}): Reconcile {
  return async () => {
    const endsAt = needs.clock.now() + (options.budgetMs ?? budgetMs);
    const run = await workOnRound(needs, endsAt);
    if (run !== undefined) report(needs, run);
    return run;
  };
}

async function workOnRound(needs: Needs, endsAt: number): Promise<ReconcileRun | undefined> {
  const { clock, reconcileRounds } = needs;
  const last = await reconcileRounds.read();
  if (last !== undefined && last.endedAt !== null && clock.now() - last.endedAt < restMs) return undefined;
  let round = last?.endedAt === null ? last : newRound(last, clock.now());
  if (round !== last && !(await reconcileRounds.write(round))) return { round, state: 'overtaken' };
  for (;;) {
    const { phase } = round;
    for await (const page of pagesOf(needs, round)) {
      round = afterPage(round, page, clock.now());
      if (!(await reconcileRounds.write(round))) return { round, state: 'overtaken' };
      if (round.endedAt !== null) return { round, state: 'ended' };
      if (clock.now() >= endsAt) return { round, state: 'paused' };
    }
    if (round.phase === phase) throw new Error(`${phase} ended without its last page`);
  }
}

/** A cursor that storage does not take any more begins the phase again: all of it can be done twice. */
async function* pagesOf(needs: Needs, { phase, cursor }: ReconcileRound): AsyncGenerator<ReconciledPage> {
  const step = reconcileSteps[phase];
  try {
    yield* step(needs, cursor);
  } catch (error) {
    if (cursor === null || !hasCode(error, 'validation_failed')) throw error;
    needs.logger.warn('reconcile_cursor_refused', { phase });
    yield* step(needs, null);
  }
}

function report({ logger }: Needs, { round, state }: ReconcileRun): void {
  const { grants, entries, inserted, removed, emptied, deleted, unreadable } = round.figures;
  logger.info('reconcile_worked', {
    state,
    phase: round.phase,
    started_at: new Date(round.startedAt).toISOString(),
    grants,
    entries,
    inserted,
    removed,
    emptied,
    deleted,
    unreadable,
    purged_transactions: round.figures.purgedTransactions,
    purged_job_rows: round.figures.purgedJobRows,
    purged_audit_rows: round.figures.purgedAuditRows,
  });
}
