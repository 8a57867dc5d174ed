import type { RekeyJob } from '../domain/rekey-job.ts';

/** Where rekey jobs leave how far they are. Every method throws `storage_unavailable` when storage does not answer. */
export interface RekeyStore {
  /** Begins a job at step 0. Ids sort with the newest first. */
  begin(job: { readonly startedAt: number; readonly keyId: string }): Promise<RekeyJob>;
  get(id: string): Promise<RekeyJob | undefined>;
  latest(): Promise<RekeyJob | undefined>;
  /**
   * Writes a job whose `step` is the next after the one that is stored. Resolves to false, and writes nothing, when
   * another process has gone on meanwhile.
   */
  advance(job: RekeyJob): Promise<boolean>;
}
