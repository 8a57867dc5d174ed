import { type ChainHead, type ChainLink, linkHash, type Sha256 } from '../../domain/audit-chain.ts';
import type { StoredRecord } from '../../ports/audit-log.ts';

interface Kept {
  readonly prev: string;
  readonly hash: string;
  readonly at: number;
}

/** A process writes its head again within ten seconds of a record; so much more is plenty for a slow storage. */
const uncoveredMs = 60_000;

/** Takes the records of a month in any order, and then says what is wrong with their chains. */
export function createChainBook(sha256: Sha256) {
  const chains = new Map<string, Map<number, Kept>>();
  const found: string[] = [];
  let records = 0;

  function enter(stored: StoredRecord | { readonly unreadable: string }): void {
    records += 1;
    if ('unreadable' in stored) {
      found.push(`a record makes no sense: ${stored.unreadable}`);
      return;
    }
    const { record, link, isInPlace } = stored;
    const name = `${nameOf(link)} (${record.id})`;
    if (!isInPlace) found.push(`${name} does not lie where its organisation and time say`);
    if (linkHash(link, record, sha256) !== link.hash) found.push(`${name} was changed: its hash is another`);
    const chain = chains.get(link.chain) ?? new Map<number, Kept>();
    chains.set(link.chain, chain);
    if (chain.has(link.seq)) found.push(`${name} is there twice`);
    chain.set(link.seq, { prev: link.prev, hash: link.hash, at: record.at });
  }

  /**
   * What is wrong, by heads that were read before the records. A record beyond the head of its chain that is younger
   * than `youngSince` may follow others that came while the records were read, and that were not seen.
   */
  function problems(heads: readonly ChainHead[], youngSince = Number.POSITIVE_INFINITY): readonly string[] {
    const ofChain = Map.groupBy(heads, ({ chain }) => chain);
    const all = new Set([...chains.keys(), ...ofChain.keys()]);
    const ofChains = [...all].flatMap((chain) => {
      const kept = chains.get(chain) ?? new Map<number, Kept>();
      const its = ofChain.get(chain) ?? [];
      const covered = its.reduce((most, { seq }) => Math.max(most, seq), -1);
      const settledTo = (seq: number, at: number) => (at > youngSince ? Math.min(seq, covered) : seq);
      return [...linkProblems(chain, kept, settledTo), ...headProblems(chain, kept, its, youngSince)];
    });
    return [...found, ...ofChains];
  }

  return { enter, problems, chains: () => chains.size, records: () => records };
}

/** `settledTo` says up to where nothing may be missing before a record. */
function linkProblems(
  chain: string,
  kept: ReadonlyMap<number, Kept>,
  settledTo: (seq: number, at: number) => number,
): readonly string[] {
  const problems: string[] = [];
  let before: Kept | undefined = { prev: '', hash: '', at: 0 };
  let last = -1;
  for (const seq of [...kept.keys()].sort((one, other) => one - other)) {
    const current = kept.get(seq);
    if (seq !== last + 1) {
      const missingTo = settledTo(seq - 1, current?.at ?? 0);
      if (missingTo > last) {
        problems.push(`chain ${chain} has no record ${last + 1}${missingTo > last + 1 ? ` to ${missingTo}` : ''}`);
      }
    } else if (current?.prev !== before?.hash) {
      problems.push(`${nameOf({ chain, seq })} does not follow the record before it`);
    }
    before = current;
    last = seq;
  }
  return problems;
}

function headProblems(
  chain: string,
  kept: ReadonlyMap<number, Kept>,
  heads: readonly ChainHead[],
  youngSince: number,
): readonly string[] {
  if (heads.length === 0) return [`chain ${chain} has no head, which is written before its first record`];
  const last = heads.reduce((one, other) => (other.seq > one.seq || other.isClosed ? other : one));
  const problems = heads.flatMap(({ seq, hash, day }) => {
    if (seq < 0 || kept.get(seq)?.hash === hash) return [];
    return [
      kept.has(seq)
        ? `${nameOf({ chain, seq })} is not the one that the head of ${day} names`
        : `chain ${chain} ends before record ${seq}, which the head of ${day} names`,
    ];
  });
  const beyond = [...kept].filter(([seq]) => seq > last.seq).map(([, { at }]) => at);
  if (beyond.length > 0 && last.isClosed) {
    problems.push(`chain ${chain} goes on after record ${last.seq}, though it was closed there`);
  } else if (spanOf(beyond.filter((at) => at <= youngSince)) > uncoveredMs) {
    problems.push(`chain ${chain} goes on for too long after record ${last.seq}, which its last head names`);
  }
  return problems;
}

function spanOf(times: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const at of times) {
    least = Math.min(least, at);
    most = Math.max(most, at);
  }
  return times.length === 0 ? 0 : most - least;
}

function nameOf({ chain, seq }: Pick<ChainLink, 'chain' | 'seq'>): string {
  return `record ${seq} of chain ${chain}`;
}
