/** A read of credentials. Times are the history's; `rotation` is the place of the token among the account's. */
export interface LoggedRead {
  readonly host: string;
  readonly account: string;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly rotation: number;
}

/** A refresh whose commit was acknowledged. */
export interface Commit {
  readonly account: string;
  readonly acknowledgedAt: number;
  readonly rotation: number;
}

export interface ReadLog {
  readonly reads: LoggedRead[];
  readonly commits: Commit[];
  now(): number;
  /** Reads that began more than `cacheMs` after a commit was acknowledged, and served an older token. */
  staleReads(cacheMs: number): string[];
  /** Reads that served an older token than a read of the same process that had ended before they began. */
  readsGoneBack(): string[];
}

export function createReadLog(now: () => number): ReadLog {
  const reads: LoggedRead[] = [];
  const commits: Commit[] = [];
  return {
    reads,
    commits,
    now,
    staleReads: (cacheMs) =>
      reads.flatMap((read) => {
        const ours = commits.filter(({ account }) => account === read.account);
        const known = ours.filter(({ acknowledgedAt }) => read.beganAt > acknowledgedAt + cacheMs);
        return known
          .filter(({ rotation }) => read.rotation < rotation)
          .slice(0, 1)
          .map((commit) => `${describe(read)}, but ${commit.rotation} was acknowledged at ${commit.acknowledgedAt}`);
      }),
    readsGoneBack: () =>
      [...Map.groupBy(reads, ({ host, account }) => `${host} ${account}`).values()].flatMap(goneBack),
  };
}

function goneBack(reads: readonly LoggedRead[]): string[] {
  const byEnd = reads.toSorted((a, b) => a.endedAt - b.endedAt);
  const found: string[] = [];
  let newest: LoggedRead | undefined;
  let ended = 0;
  for (const read of reads.toSorted((a, b) => a.beganAt - b.beganAt)) {
    for (let next = byEnd[ended]; next !== undefined && next.endedAt < read.beganAt; next = byEnd[ended]) {
      if (newest === undefined || next.rotation > newest.rotation) newest = next;
      ended += 1;
    }
    if (newest !== undefined && read.rotation < newest.rotation)
      found.push(`${describe(read)}, after ${describe(newest)}`);
  }
  return found;
}

function describe({ host, account, beganAt, endedAt, rotation }: LoggedRead): string {
  return `${host} served ${rotation} of ${account} from ${beganAt} to ${endedAt}`;
}
