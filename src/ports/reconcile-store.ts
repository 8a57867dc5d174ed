import type { ReconcileRound } from '../domain/reconcile-round.ts';

/** Where the reconcile keeps how far it is. Every method throws `storage_unavailable` when storage does not answer. */
export interface ReconcileStore {
  /** The round under way, or the last one. */
  read(): Promise<ReconcileRound | undefined>;
  /**
   * Writes a round whose `step` is the next after the one that is stored. Resolves to false, and writes nothing, when
   * another process has gone on meanwhile.
   */
  write(round: ReconcileRound): Promise<boolean>;
}
