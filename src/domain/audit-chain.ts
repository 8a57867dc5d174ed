import { type AuditRecord, canonicalRecord } from './audit.ts';

/** SHA-256 of a text in UTF-8, in base64url. */
export type Sha256 = (text: string) => string;

/**
 * Where a record stands in its chain. Each process has a chain of its own for each month; `hash` covers the record, its
 * place and the hash before it, so that nothing in the middle can be changed, removed or put in unseen.
 */
export interface ChainLink {
  readonly chain: string;
  /** From 0, without a hole. */
  readonly seq: number;
  /** The hash of the record before. Of the first: empty. */
  readonly prev: string;
  readonly hash: string;
}

/** The end of a chain: how much of it there must be. It is kept apart from the records, so that a missing tail shows. */
export interface ChainHead {
  readonly chain: string;
  /** The month of the chain's records. */
  readonly month: string;
  /** Of the last record. -1: none has been written yet. */
  readonly seq: number;
  /** Of the last record. Empty: none has been written yet. */
  readonly hash: string;
  /** The day on which the head was written, which it is kept under: what is of a past day does not change any more. */
  readonly day: string;
  /** When the head was written. */
  readonly at: number;
  /** Nothing comes after: the process has stopped. */
  readonly isClosed: boolean;
}

/** What all heads of a day were, so that one of them missing shows. Checkpoints are themselves chained. */
export interface AuditCheckpoint {
  readonly day: string;
  readonly digest: string;
  /** The digest of the day before. Of the first: empty. */
  readonly prev: string;
  readonly heads: number;
  readonly at: number;
}

/** What a chain begins with. */
export const emptyChain = { seq: -1, hash: '' } as const;

/** The link of the record that comes after `last` in a chain. */
export function linkAfter(
  chain: string,
  last: { readonly seq: number; readonly hash: string },
  record: AuditRecord,
  sha256: Sha256,
): ChainLink {
  const place = { chain, seq: last.seq + 1, prev: last.hash };
  return { ...place, hash: linkHash(place, record, sha256) };
}

/** The hash that a record at this place must have. */
export function linkHash(place: Omit<ChainLink, 'hash'>, record: AuditRecord, sha256: Sha256): string {
  return sha256(JSON.stringify([place.chain, place.seq, place.prev, canonicalRecord(record)]));
}

/** The digest of a day's heads, linked to that of the day before. */
export function checkpointDigest(day: string, prev: string, heads: readonly ChainHead[], sha256: Sha256): string {
  const sorted = heads
    .toSorted((one, other) => (one.chain < other.chain ? -1 : 1))
    .map(({ chain, month, seq, hash, at, isClosed }) => [chain, month, seq, hash, at, isClosed]);
  return sha256(JSON.stringify([day, prev, sorted]));
}
