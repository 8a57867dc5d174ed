import type { ErrorCode } from './errors.ts';
import type { ConnectionName, OrgId } from './ids.ts';

export interface RefreshError {
  readonly connection: ConnectionName;
  readonly org: OrgId;
  readonly code: ErrorCode;
}

/** What one batch of a sweep did. */
export interface RefreshCounts {
  readonly refreshed: number;
  readonly skipped: number;
  readonly failed: number;
  readonly errors: readonly RefreshError[];
}

/** A sweep and what it has done so far, summed over its batches. Times are milliseconds since the epoch. */
export interface RefreshJob extends RefreshCounts {
  readonly id: string;
  readonly trigger: 'automatic' | 'manual';
  /** Null: all organisations. */
  readonly org: OrgId | null;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly state: 'running' | 'finished';
  readonly due: number;
}
