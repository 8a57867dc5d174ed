/** What a round works through, in this order. */
export const reconcilePhases = ['connections', 'users', 'entries', 'transactions', 'jobs', 'audit'] as const;
export type ReconcilePhase = (typeof reconcilePhases)[number];

/** What a round has seen and mended so far. */
export interface ReconcileFigures {
  /** Grants that were looked at. */
  readonly grants: number;
  /** Entries of the due index that were looked at. */
  readonly entries: number;
  /** Missing entries that were put in. */
  readonly inserted: number;
  /** Entries that no grant stands behind. */
  readonly removed: number;
  /** Users' grants that belonged to other endpoints of their connection. */
  readonly emptied: number;
  /** Users' grants whose connection is gone. */
  readonly deleted: number;
  /** Rows that make no sense and were left alone. */
  readonly unreadable: number;
  readonly purgedTransactions: number;
  readonly purgedJobRows: number;
  readonly purgedAuditRows: number;
}

export const noReconcileFigures: ReconcileFigures = {
  grants: 0,
  entries: 0,
  inserted: 0,
  removed: 0,
  emptied: 0,
  deleted: 0,
  unreadable: 0,
  purgedTransactions: 0,
  purgedJobRows: 0,
  purgedAuditRows: 0,
};

/** One comparison of index and grants, and where it stands. Times are milliseconds since the epoch. */
export interface ReconcileRound {
  /** Grows by one with each checkpoint, from round to round: of two processes only one writes the next. */
  readonly step: number;
  readonly startedAt: number;
  /** Null while it is under way. */
  readonly endedAt: number | null;
  readonly phase: ReconcilePhase;
  /** Where to go on in the phase. Null: at its beginning. */
  readonly cursor: string | null;
  readonly figures: ReconcileFigures;
}

/** A page of a phase that has been worked through. `cursor` null: it was the last. */
export interface ReconciledPage {
  readonly figures: Partial<ReconcileFigures>;
  readonly cursor: string | null;
}

export function sumReconcileFigures(all: readonly Partial<ReconcileFigures>[]): ReconcileFigures {
  const names = Object.keys(noReconcileFigures) as (keyof ReconcileFigures)[];
  const total = (name: keyof ReconcileFigures) => all.reduce((sum, figures) => sum + (figures[name] ?? 0), 0);
  return Object.fromEntries(names.map((name) => [name, total(name)])) as unknown as ReconcileFigures;
}

export function newRound(previous: ReconcileRound | undefined, now: number): ReconcileRound {
  return {
    step: (previous?.step ?? 0) + 1,
    startedAt: now,
    endedAt: null,
    phase: reconcilePhases[0],
    cursor: null,
    figures: noReconcileFigures,
  };
}

/** The round after a page: further on in its phase, in the next one, or at its end. */
export function afterPage(round: ReconcileRound, page: ReconciledPage, now: number): ReconcileRound {
  const figures = sumReconcileFigures([round.figures, page.figures]);
  const next = { ...round, step: round.step + 1, figures, cursor: page.cursor };
  if (page.cursor !== null) return next;
  const phase = reconcilePhases[reconcilePhases.indexOf(round.phase) + 1];
  return phase === undefined ? { ...next, endedAt: now } : { ...next, phase };
}
