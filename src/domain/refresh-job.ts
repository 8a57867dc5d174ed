import type { ErrorCode } from './errors.ts';
import type { ConnectionName, OrgId } from './ids.ts';

export interface RefreshError {
  readonly connection: ConnectionName;
  readonly org: OrgId;
  readonly code: ErrorCode;
}

export interface RefreshFigures {
  readonly refreshed: number;
  readonly skipped: number;
  readonly failed: number;
}

/** What one batch of a sweep did. */
export interface RefreshCounts extends RefreshFigures {
  readonly errors: readonly RefreshError[];
  /** The same for each organisation, which may not see the others'. */
  readonly byOrg: Readonly<Record<string, RefreshFigures>>;
}

/** How many errors of a job are shown. `failed` counts them all. */
export const mostErrors = 100;

export const noFigures: RefreshFigures = { refreshed: 0, skipped: 0, failed: 0 };

export function sumFigures(all: readonly RefreshFigures[]): RefreshFigures {
  const total = (figure: keyof RefreshFigures) => all.reduce((sum, each) => sum + each[figure], 0);
  return { refreshed: total('refreshed'), skipped: total('skipped'), failed: total('failed') };
}

export function sumByOrg(all: readonly RefreshCounts['byOrg'][]): RefreshCounts['byOrg'] {
  const orgs = [...new Set(all.flatMap((each) => Object.keys(each)))];
  return Object.fromEntries(orgs.map((org) => [org, sumFigures(all.map((each) => each[org] ?? noFigures))]));
}

/** A job as one organisation may see it: what was done for it so far, and its own errors. */
export function jobOf(job: RefreshJob, org: OrgId): RefreshJob {
  const figures = job.byOrg[org] ?? noFigures;
  const due = figures.refreshed + figures.skipped + figures.failed;
  return {
    ...job,
    ...figures,
    due,
    byOrg: { [org]: figures },
    errors: job.errors.filter((error) => error.org === org),
  };
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
