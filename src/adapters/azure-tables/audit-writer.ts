import { createHash } from 'node:crypto';
import { type AuditRecord, dayOf, monthOf } from '../../domain/audit.ts';
import { type ChainHead, type ChainLink, emptyChain, linkAfter } from '../../domain/audit-chain.ts';
import { BrokerError, hasCode } from '../../domain/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { Timers } from '../../ports/timers.ts';
import { placeOfRecord, toHeadRow, toRecordRow } from './audit-row.ts';
import { isRowRefused } from './storage-errors.ts';
import type { NewRow, Table } from './table.ts';

export interface AuditWriterOptions {
  readonly table: Table;
  readonly clock: Clock;
  readonly random: Random;
  readonly timers: Timers;
  /** Told of a head that could not be written. The next one says the same and more. */
  readonly onHeadNotWritten: (cause: unknown) => void;
}

export interface AuditWriter {
  append(record: AuditRecord): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly record: AuditRecord;
  readonly resolve: () => void;
  readonly reject: (error: BrokerError) => void;
}

interface Chain {
  readonly id: string;
  readonly month: string;
  seq: number;
  hash: string;
}

/** A part of what waits that one transaction writes. */
interface Portion {
  readonly chain: Chain;
  readonly waiting: readonly Waiting[];
  readonly rows: readonly NewRow[];
  readonly last: ChainLink;
}

/** Entity group transactions take no more. */
const transactionRows = 100;
/** What waits beyond that is refused at once: storage has been away for long. */
const mostWaiting = 10_000;
const mostTries = 3;
/** Another try begins only before that: callers wait. */
const triesEndAfterMs = 5000;
const headEveryMs = 10_000;

export const auditSha256 = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * One lane of the audit log. Writes records in groups: while one write is under way the next ones gather, and go out together. One write at a
 * time, so that the chain in storage never has a hole; when one fails for good the chain is left as it is and a new one
 * begins. A chain's head is there before its first record.
 */
export function createAuditWriter(options: AuditWriterOptions): AuditWriter {
  const { table, clock, random } = options;
  const chains = new Map<string, Chain>();
  let queue: Waiting[] = [];
  let running: Promise<void> | undefined;
  let isRunning = false;
  let isStopping = false;
  const heads = createHeadKeeper(options);

  async function run(): Promise<void> {
    isRunning = true;
    while (queue.length > 0) {
      const taken = queue;
      queue = [];
      await flush(taken);
    }
    isRunning = false;
  }

  async function flush(taken: readonly Waiting[]): Promise<void> {
    const left = [...groupsOf(taken)];
    for (let group = left.shift(); group !== undefined; group = left.shift()) {
      const month = monthOf(group[0]?.record.at ?? 0);
      try {
        const portion = linked(await chainOf(month), group);
        await insertAgain(table, portion.rows, clock);
        Object.assign(portion.chain, { seq: portion.last.seq, hash: portion.last.hash });
        heads.changed(portion.chain);
        // Of what still comes while the process stops, the head does not wait: its timer would come too late.
        if (isStopping) await heads.settle();
        for (const { resolve } of portion.waiting) resolve();
      } catch (cause) {
        // Nobody knows whether these rows are there. Nothing is linked to them any more.
        chains.delete(month);
        if (isAway(cause)) {
          for (const { reject } of [group, ...left].flat()) reject(auditUnavailable(cause));
          return;
        }
        // A row that storage refuses must not take with it those that came at the same time.
        if (group.length > 1) left.unshift(...group.map((one) => [one]));
        else for (const { reject } of group) reject(auditUnavailable(cause));
      }
    }
  }

  async function chainOf(month: string): Promise<Chain> {
    const known = chains.get(month);
    if (known !== undefined) return known;
    const chain: Chain = { id: random.id(), month, ...emptyChain };
    await heads.announce(chain);
    for (const [older, ended] of chains) {
      if (older >= month) continue;
      chains.delete(older);
      await heads.end(ended);
    }
    chains.set(month, chain);
    return chain;
  }

  return {
    append(record) {
      if (queue.length >= mostWaiting) return Promise.reject(auditUnavailable(undefined));
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      queue.push({ record, resolve, reject });
      if (!isRunning) running = run();
      return promise;
    },
    async close() {
      isStopping = true;
      while (isRunning) await running;
      const ended = [...chains.values()];
      chains.clear();
      for (const chain of ended) await heads.end(chain);
      await heads.settle();
    },
  };
}

/** In the order in which they are written: by partition, each in the order of its arrival. */
function groupsOf(taken: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const byPartition = Map.groupBy(taken, ({ record }) => placeOfRecord(record).partitionKey);
  return [...byPartition.keys()].sort().flatMap((partition) => {
    const all = byPartition.get(partition) ?? [];
    const count = Math.ceil(all.length / transactionRows);
    return Array.from({ length: count }, (_, i) => all.slice(i * transactionRows, (i + 1) * transactionRows));
  });
}

function linked(chain: Chain, waiting: readonly Waiting[]): Portion {
  let last: ChainLink = { chain: chain.id, seq: chain.seq, prev: '', hash: chain.hash };
  const rows = waiting.map(({ record }) => {
    last = linkAfter(chain.id, last, record, auditSha256);
    return toRecordRow(record, last);
  });
  return { chain, waiting, rows, last };
}

/** The very same rows as often as it takes. Their ids are random: whatever is there already is our own, and whole. */
async function insertAgain(table: Table, rows: readonly NewRow[], clock: Clock): Promise<void> {
  const startedAt = clock.now();
  for (let tries = 1; ; tries += 1) {
    try {
      const [first] = rows;
      if (rows.length === 1 && first !== undefined) await table.insert(first.place, first.columns);
      else await table.insertAll(rows);
      return;
    } catch (error) {
      const isOver = tries >= mostTries || clock.now() - startedAt > triesEndAfterMs;
      if (isOver || !isAway(error)) throw error;
    }
  }
}

/** Storage does not answer, so that whatever else waits need not be tried. */
function isAway(error: unknown): boolean {
  return hasCode(error, 'storage_unavailable') && !isRowRefused(error);
}

function auditUnavailable(cause: unknown): BrokerError {
  return new BrokerError('audit_unavailable', 'The audit log cannot be written. Try again shortly.', {
    retryAfterSeconds: 5,
    ...(cause instanceof BrokerError && cause.detail !== undefined && { detail: cause.detail }),
    cause,
  });
}

/** Writes heads: the first of a chain before its records, the last when it ends, and between them one in ten seconds. */
function createHeadKeeper({ table, clock, timers, onHeadNotWritten }: AuditWriterOptions) {
  const due = new Map<Chain, () => void>();
  const writtenAt = new WeakMap<Chain, number>();
  let writing: Promise<void> = Promise.resolve();

  async function put(chain: Chain, isClosed: boolean): Promise<void> {
    const at = clock.now();
    writtenAt.set(chain, at);
    const { id, month, seq, hash } = chain;
    const head: ChainHead = { chain: id, month, seq, hash, day: dayOf(at), at, isClosed };
    const { place, columns } = toHeadRow(head);
    await table.put(place, columns);
  }

  /** One after the other: an older head must not overwrite a newer one. */
  function putLater(chain: Chain, isClosed: boolean): Promise<void> {
    writing = writing.then(() => put(chain, isClosed)).catch(onHeadNotWritten);
    return writing;
  }

  return {
    /** Throws `storage_unavailable`: without it the chain must not begin. */
    announce: (chain: Chain) => put(chain, false),
    changed(chain: Chain): void {
      if (due.has(chain)) return;
      const waitMs = Math.max(0, (writtenAt.get(chain) ?? 0) + headEveryMs - clock.now());
      const callOff = timers.after(waitMs, () => {
        due.delete(chain);
        void putLater(chain, false);
      });
      due.set(chain, callOff);
    },
    async end(chain: Chain): Promise<void> {
      due.get(chain)?.();
      due.delete(chain);
      await putLater(chain, true);
    },
    /** Writes those that are still to come, of chains that were given up. */
    async settle(): Promise<void> {
      for (const [chain, callOff] of due) {
        callOff();
        due.delete(chain);
        await putLater(chain, false);
      }
    },
  };
}
