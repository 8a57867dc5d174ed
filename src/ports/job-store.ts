import type { OrgId } from '../domain/ids.ts';
import type { RefreshCounts, RefreshJob } from '../domain/refresh-job.ts';
import type { PurgedPage } from './purged-page.ts';

/** Where sweeps leave what they did. Throws `storage_unavailable` when storage does not answer. */
export interface JobStore {
  /** Begins a job. Ids sort with the newest first. */
  begin(job: {
    readonly trigger: RefreshJob['trigger'];
    readonly org: OrgId | null;
    readonly startedAt: number;
  }): Promise<string>;
  /** Says how many grants and batches the job has, before these go on the queue. */
  dispatched(id: string, totals: { readonly due: number; readonly batches: number }): Promise<void>;
  /** Writes what one batch did. A batch that is delivered twice replaces its own row. */
  batchDone(id: string, batch: number, counts: RefreshCounts, at: number): Promise<void>;
  /**
   * A job summed over its batches, or undefined. It runs until all of them are done, or until nothing has been heard of
   * it for two hours.
   */
  get(id: string): Promise<RefreshJob | undefined>;
  /** The newest job that an organisation may see: its own or one of all organisations. */
  latest(org: OrgId): Promise<RefreshJob | undefined>;
  /**
   * Deletes jobs that began before a time, with their batches, rekey jobs too, page by page, from where an earlier purge
   * stopped.
   */
  purge(before: number, cursor: string | null): AsyncIterable<PurgedPage>;
}
