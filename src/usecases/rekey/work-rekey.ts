import { type BrokerError, hasCode } from '../../domain/errors.ts';
import { noRekeyFigures, type RekeyFigures, type RekeyJob, sumRekeyFigures } from '../../domain/rekey-job.ts';
import type { StoredGrant, WalkPage } from '../../ports/grant-store.ts';
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

type Needs = Pick<Dependencies, 'clock' | 'connections' | 'grants' | 'rekeyJobs' | 'logger'>;

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
  return {
    ...job,
    ...sumRekeyFigures(job, figures),
    keyId,
    step: job.step + 1,
    place: place ?? job.place,
    finishedAt: place === null ? clock.now() : null,
  };
}

/** This process may have read its keys before the job's was there, and a newer one may have come since. */
async function sealingKeyOf({ grants }: Needs, job: RekeyJob): Promise<string> {
  const keyId = await grants.sealingKey();
  return keyId === job.keyId ? keyId : grants.sealingKey({ fresh: true });
}

interface Page extends WalkPage<StoredGrant> {
  /** Where the job goes on, or null at its end. */
  readonly next: RekeyJob['place'] | null;
}

async function* pagesFrom({ connections, grants }: Needs, place: RekeyJob['place'], limit: number) {
  if (place.part === 'own') {
    for await (const { items, leftOut, cursor } of connections.walkOwn(place.cursor, { limit })) {
      const next = { part: cursor === null ? 'users' : 'own', cursor } as const;
      yield { items: items.map(({ own }) => own), leftOut, cursor, next } satisfies Page;
    }
  }
  for await (const page of grants.walkUsers(place.part === 'users' ? place.cursor : null, { limit })) {
    const next = page.cursor === null ? null : ({ part: 'users', cursor: page.cursor } as const);
    yield { ...page, next } satisfies Page;
  }
}

async function resealPage(needs: Needs, { items, leftOut }: Page): Promise<RekeyFigures> {
  let figures: RekeyFigures = { ...noRekeyFigures, unreadable: leftOut };
  for (let at = 0; at < items.length; at += sideBySide) {
    const some = await Promise.all(items.slice(at, at + sideBySide).map((stored) => resealOne(needs, stored)));
    figures = some.reduce(sumRekeyFigures, figures);
  }
  return figures;
}

async function resealOne({ grants, logger }: Needs, { key }: StoredGrant): Promise<RekeyFigures> {
  const unreadable = (facts: { readonly reason?: string; readonly cause?: unknown }) => {
    logger.error('grant_not_rekeyed', { org: key.org, connection: key.connection, ...facts });
    return { ...noRekeyFigures, unreadable: 1 };
  };
  try {
    const result = await grants.reseal(key);
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
