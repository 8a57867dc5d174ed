import type { AuditActor, AuditDetail, AuditOutcome, AuditSubject } from '../domain/audit.ts';
import type { LogFields } from './logger.ts';

/** What is said of a call in the audit log, which use cases add to while they find it out. */
export interface CallFacts extends AuditSubject {
  readonly correlationId: string | null;
  readonly address: string | null;
  /** What counts as one source of calls: a network where anybody in it may choose the address. */
  readonly network: string;
  readonly actor: AuditActor;
  readonly detail: AuditDetail;
  /** Where the call is answered and has failed all the same. */
  readonly outcome: AuditOutcome | null;
  /** It can happen only once, so that nobody floods the log with it. */
  readonly isSingular: boolean;
}

/** What the work at hand belongs to. */
export interface Work {
  /** On every line that is logged meanwhile. */
  readonly fields: LogFields;
  /** Undefined: nobody has called. */
  readonly call?: { facts: CallFacts };
}

/** Carries `Work` along, through everything that is awaited. */
export interface WorkContext {
  current(): Work;
  within<Result>(work: Work, run: () => Promise<Result>): Promise<Result>;
}
