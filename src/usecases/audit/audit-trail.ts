import {
  type AuditAction,
  type AuditDetail,
  type AuditOutcome,
  type AuditRecord,
  type AuditSubject,
  anonymousActor,
  noSubject,
  systemActor,
} from '../../domain/audit.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { GrantKey } from '../../domain/grant.ts';
import type { CallFacts } from '../../ports/work-context.ts';
import type { Dependencies } from '../dependencies.ts';
import { createWindows } from './windows.ts';

/** Something that nobody called for. */
export interface AuditEvent extends AuditSubject {
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  readonly detail?: AuditDetail;
}

type Addition = Partial<Omit<CallFacts, 'correlationId' | 'address' | 'network'>>;

export interface AuditTrail {
  /** Adds to what will be said of the call at hand, as far as there is one. Details are joined. */
  about(facts: Addition): void;
  /**
   * Records the call at hand. Resolves when its record is durable, or when it is counted in a window whose first record
   * is. Throws `audit_unavailable`.
   */
  recordCall(action: AuditAction, outcome: AuditOutcome): Promise<void>;
  /**
   * Records one of several things that the call at hand has changed, as done by whoever calls. Resolves when the record
   * is durable. Throws `audit_unavailable`.
   */
  recordFor(event: AuditEvent): Promise<void>;
  /** Records what the broker did on its own. Never throws: what cannot be written is logged. */
  note(event: AuditEvent): Promise<void>;
  /** Writes what was only counted so far, and the end of this process's chain. */
  drain(): Promise<void>;
}

type Needs = Pick<Dependencies, 'clock' | 'random' | 'timers' | 'auditLog' | 'context' | 'logger'> & {
  readonly policy: Pick<Dependencies['policy'], 'auditCredentialReads'>;
};

type Draft = Omit<AuditRecord, 'id' | 'at' | 'count'>;

const windowMs = 60_000;
const mostReadWindows = 10_000;
/** Of refusals whose caller or organisation is known. */
const mostKnownWindows = 1000;
/** So many rows a minute can strangers cause, twice over. */
const mostStrangerWindows = 500;

const manyRefusals: Draft = {
  ...noSubject,
  actor: anonymousActor,
  action: 'access.refused',
  outcome: 'unauthenticated',
  correlationId: null,
  address: null,
  detail: { many_sources: true },
};

/**
 * Says what is recorded and how durably. A call's record is durable before its answer leaves. What comes often is
 * counted: reads of one grant by one caller (unless the policy wants each of them), and what strangers try.
 */
export function createAuditTrail(needs: Needs): AuditTrail {
  const { clock, random, timers, auditLog, context, logger, policy } = needs;

  const append = (draft: Draft, count = 1): Promise<void> =>
    auditLog.append({ ...draft, id: random.id(), at: clock.now(), count });

  async function appendOrLog(draft: Draft, count?: number): Promise<void> {
    try {
      await append(draft, count);
    } catch (cause) {
      if (!(cause instanceof BrokerError)) throw cause;
      logger.error('audit_not_written', { ...draft, count: count ?? 1, cause });
    }
  }

  const writeCount = (draft: Draft, times: number, startedAt: number): Promise<void> => {
    const since = { counted_since: new Date(startedAt).toISOString() };
    return appendOrLog({ ...draft, correlationId: null, detail: { ...draft.detail, ...since } }, times);
  };
  const common = { clock, timers, lifeMs: windowMs };
  const reads = createWindows<Draft>({
    ...common,
    most: mostReadWindows,
    whenFull: 'end the oldest',
    onEnd: writeCount,
  });
  const knownRefusals = createWindows<Draft>({
    ...common,
    most: mostKnownWindows,
    whenFull: 'end the oldest',
    onEnd: writeCount,
  });
  // Apart from the others: strangers, who fill it at will, must not hide them.
  const strangersRefusals = createWindows<Draft>({
    ...common,
    most: mostStrangerWindows,
    whenFull: { countAs: manyRefusals },
    onEnd: writeCount,
  });

  return {
    about(facts) {
      const { call } = context.current();
      if (call === undefined) return;
      call.facts = { ...call.facts, ...facts, detail: { ...call.facts.detail, ...facts.detail } };
    },

    async recordCall(action, given) {
      const { call } = context.current();
      if (call === undefined) throw new TypeError('a call is recorded where there is none');
      const { isSingular, outcome, network, ...facts } = call.facts;
      const draft: Draft = { ...facts, action, outcome: outcome ?? given };
      const first = () => append(draft);
      const { org, connection, userId, actor, address } = draft;
      if (action === 'credential.read' && policy.auditCredentialReads === 'windowed' && actor.kind !== 'anonymous') {
        const key = [actor.kind, actor.id, org, connection, userId, draft.outcome];
        // One caller may have come from several.
        return reads.enter(JSON.stringify(key), { ...draft, address: null }, first);
      }
      const isFloodable = actor.kind === 'anonymous' || draft.outcome === 'rate_limited';
      if (isSingular || !isFloodable) return first();
      const isOneAddress = address === null || address === network;
      const counted = isOneAddress ? draft : { ...draft, address: null, detail: { ...draft.detail, network } };
      if (org === null && actor.kind === 'anonymous') {
        // Where nobody knows the organisation, whoever calls chooses the other names at will.
        const key = [action, draft.outcome, network];
        return strangersRefusals.enter(JSON.stringify(key), { ...counted, ...noSubject }, first);
      }
      const key = [action, draft.outcome, network, actor.kind, actor.id, org, connection, userId];
      return knownRefusals.enter(JSON.stringify(key), counted, first);
    },

    recordFor({ detail = {}, ...event }) {
      const { call } = context.current();
      if (call === undefined) throw new TypeError('what a call has changed is recorded where there is none');
      const { actor, correlationId, address } = call.facts;
      return append({ ...event, detail, actor, correlationId, address });
    },

    note({ detail = {}, ...event }) {
      const { call } = context.current();
      const correlationId = call?.facts.correlationId ?? null;
      return appendOrLog({ ...event, detail, actor: systemActor, correlationId, address: null });
    },

    async drain() {
      await Promise.all([reads.drain(), knownRefusals.drain(), strangersRefusals.drain()]);
      await auditLog.close();
    },
  };
}

/** Whom and what a grant's events are about. */
export function subjectOfGrant({ org, connection, userId }: GrantKey): AuditSubject {
  return { org, connection, userId };
}
