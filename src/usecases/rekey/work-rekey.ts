import { type BrokerError, hasCode } from '../../domain/errors.ts';
import {
  noRekeyFigures,
  type RekeyFigures,
  type RekeyJob,
  type RekeyPart,
  rekeyParts,
  sumRekeyFigures,
} from '../../domain/rekey-job.ts';
import type { ResealResult, StoredGrant, WalkPage } from '../../ports/grant-store.ts';
import type { Dependencies } from '../dependencies.ts';
import type { RekeyStep } from './start-rekey.ts';

/** `isRedelivered`: the queue has handed the message out before, and whoever had it may have been killed at any point. */
export interface DeliveredRekeyStep extends RekeyStep {
  readonly isRedelivered: boolean;
}

/** Resolves to the step that is to go on the queue, or null. */
export type WorkRekey = (step: DeliveredRekeyStep) => Promise<RekeyStep | null>;

/** After how much work a step hands over to the next. */
export interface RekeyLimits {
  /** Rows of one page: a step ends with a page. */
  readonly pageRows: number;
  readonly stepRows: number;
  readonly stepMs: number;
}

/** Well under the half minute after which a queue may hand a message out again. */
export const defaultRekeyLimits: RekeyLimits = { pageRows: 100, stepRows: 500, stepMs: 5000 };

type Needs = Pick<Dependencies, 'clock' | 'connections' | 'grants' | 'revocations' | 'rekeyJobs' | 'logger'>;

const sideBySide = 8;

/**
 * Works through one step of a rekey job and writes how far it came. Only the message whose number is the checkpoint's is
 * worked on, and only one of several that are worked on at the same time moves the checkpoint and is followed by a next
 * step, so that a message delivered twice begins no second chain. A redelivered message of the step before was cut off
 * between checkpoint and queue: its successor is said again. Throws `storage_unavailable`, `vault_unavailable` and
 * `misconfigured`; the queue brings the message back then.
 */
export function createWorkRekey(needs: Needs, limits: RekeyLimits = defaultRekeyLimits): WorkRekey {
  return async ({ jobId, step, isRedelivered }) => {
    const job = await needs.rekeyJobs.get(jobId);
    if (job === undefined || job.finishedAt !== null) return null;
    const following = { jobId, step: step + 1 };
    if (job.step !== step) return isRedelivered && job.step === following.step ? following : null;
    const after = await workStep(needs, job, limits);
    const isOurs = await needs.rekeyJobs.advance(after);
    if (after.finishedAt !== null) {
      if (isOurs) logEnd(needs, after);
      return null;
    }
    return isOurs || isRedelivered ? following : null;
  };
}

async function workStep(needs: Needs, job: RekeyJob, limits: RekeyLimits): Promise<RekeyJob> {
  const { clock } = needs;
  const begunAt = clock.now();
  const keyId = await sealingKeyOf(needs, job);
  let figures: RekeyFigures = noRekeyFigures;
  let place: RekeyJob['place'] | null = job.place;
  let rows = 0;
  for await (const page of pagesFrom(needs, job.place, limits.pageRows)) {
    figures = sumRekeyFigures(figures, await resealPage(needs, page));
    rows += page.items.length;
    place = page.next;
    if (rows >= limits.stepRows || clock.now() - begunAt >= limits.stepMs) break;
  }
  const now = clock.now();
  return {
    ...job,
    ...sumRekeyFigures(job, figures),
    keyId,
    updatedAt: now,
    step: job.step + 1,
    place: place ?? job.place,
    finishedAt: place === null ? now : null,
  };
}

/** This process may have read its keys before the job's was there, and a newer one may have come since. */
async function sealingKeyOf({ grants }: Needs, job: RekeyJob): Promise<string> {
  const keyId = await grants.sealingKey();
  return keyId === job.keyId ? keyId : grants.sealingKey({ fresh: true });
}

/** A row that holds something sealed. */
interface SealedRow {
  /** For the log, should it not be rekeyed. */
  readonly event: 'grant_not_rekeyed' | 'revocation_not_rekeyed';
  readonly place: Readonly<Record<string, string>>;
  reseal(): Promise<ResealResult>;
}

interface Page extends WalkPage<SealedRow> {
  /** Where the job goes on, or null at its end. */
  readonly next: RekeyJob['place'] | null;
}

async function* pagesFrom(needs: Needs, { part, cursor }: RekeyJob['place'], limit: number): AsyncGenerator<Page> {
  const following = rekeyParts[rekeyParts.indexOf(part) + 1];
  const nextPart = following === undefined ? null : { part: following, cursor: null };
  for await (const page of walkPart(needs, part, cursor, limit)) {
    yield { ...page, next: page.cursor === null ? nextPart : { part, cursor: page.cursor } };
  }
  if (nextPart !== null) yield* pagesFrom(needs, nextPart, limit);
}

async function* walkPart(needs: Needs, part: RekeyPart, cursor: string | null, limit: number) {
  const { connections, grants, revocations } = needs;
  switch (part) {
    case 'own':
      for await (const page of connections.walkOwn(cursor, { limit }))
        yield { ...page, items: page.items.map(({ own }) => rowOfGrant(needs, own)) };
      return;
    case 'users':
      for await (const page of grants.walkUsers(cursor, { limit }))
        yield { ...page, items: page.items.map((stored) => rowOfGrant(needs, stored)) };
      return;
    case 'revocations':
      for await (const page of revocations.walk(cursor, { limit }))
        yield { ...page, items: page.items.map((id) => rowOfRevocation(needs, id)) };
  }
}

function rowOfGrant({ grants }: Needs, { key }: StoredGrant): SealedRow {
  const place = { org: key.org, connection: key.connection };
  return { event: 'grant_not_rekeyed', place, reseal: () => grants.reseal(key) };
}

function rowOfRevocation({ revocations }: Needs, id: string): SealedRow {
  return { event: 'revocation_not_rekeyed', place: { id }, reseal: () => revocations.reseal(id) };
}

async function resealPage(needs: Needs, { items, leftOut }: Page): Promise<RekeyFigures> {
  let figures: RekeyFigures = { ...noRekeyFigures, unreadable: leftOut };
  for (let at = 0; at < items.length; at += sideBySide) {
    const some = await Promise.all(items.slice(at, at + sideBySide).map((row) => resealOne(needs, row)));
    figures = some.reduce(sumRekeyFigures, figures);
  }
  return figures;
}

async function resealOne({ logger }: Needs, { event, place, reseal }: SealedRow): Promise<RekeyFigures> {
  const unreadable = (facts: { readonly reason?: string; readonly cause?: unknown }) => {
    logger.error(event, { ...place, ...facts });
    return { ...noRekeyFigures, unreadable: 1 };
  };
  try {
    const result = await reseal();
    if (result.kind === 'unreadable') return unreadable({ reason: result.reason });
    if (result.kind === 'gone' || result.kind === 'empty') return noRekeyFigures;
    const isAnew = result.kind === 'sealed_anew';
    const keys = { [result.keyId]: 1 };
    return { ...noRekeyFigures, sealedAnew: isAnew ? 1 : 0, alreadyCurrent: isAnew ? 0 : 1, keys };
  } catch (error) {
    if (isOutage(error)) throw error;
    return unreadable({ cause: error });
  }
}

/** Says nothing about the row: the step is tried again. */
function isOutage(error: unknown): error is BrokerError {
  return hasCode(error, 'storage_unavailable', 'vault_unavailable', 'misconfigured');
}

function logEnd({ logger }: Needs, job: RekeyJob): void {
  const { id, sealedAnew, alreadyCurrent, unreadable, keys } = job;
  logger.info('rekey_finished', {
    job_id: id,
    sealed_anew: sealedAnew,
    already_current: alreadyCurrent,
    unreadable,
    keys,
  });
}
