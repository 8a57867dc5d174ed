import type { Caller, CallerKind } from './caller.ts';
import type { ErrorCode } from './errors.ts';
import type { StatusReason } from './grant.ts';
import type { ConnectionName, OrgId, UserId } from './ids.ts';

/** Everything that is recorded. A route names the action of its calls, a use case those that nobody calls for. */
export const auditActions = [
  'connection.create',
  'connection.update',
  'connection.delete',
  'connection.test',
  'connection.refresh',
  'connection.introspect',
  'connections.export',
  'connections.import',
  'authorization.start',
  'authorization.open',
  'authorization.finish',
  'authorization.cancel',
  'grant.import',
  'grant.disconnect',
  'grants.revoke',
  'grant.refresh',
  'grant.refresh_fail',
  'grant.takeover',
  'grant.purge',
  'credential.read',
  'caller.create',
  'caller.rotate',
  'caller.remove',
  'workflow.depend',
  'workflow.release',
  'workflow.enable',
  'workflow.disable',
  'refresh_all',
  'rekey',
  'access.refused',
] as const;

export type AuditAction = (typeof auditActions)[number];

/** How it ended: well, or with the code that the caller got, or with why an authorization failed. */
export type AuditOutcome = 'success' | ErrorCode | StatusReason;

export interface AuditActor {
  /** `system`: nobody called, or the broker did it on its own. `anonymous`: nobody known. */
  readonly kind: CallerKind | 'system' | 'anonymous';
  readonly id: string;
  readonly name: string;
}

export const systemActor: AuditActor = { kind: 'system', id: 'system', name: '' };
export const anonymousActor: AuditActor = { kind: 'anonymous', id: '', name: '' };

export function actorOf({ kind, id, name }: Caller): AuditActor {
  return { kind, id, name };
}

/** What else there is to say. Never anything secret. */
export type AuditDetail = Readonly<Record<string, string | number | boolean>>;

/** Whom and what a record is about. */
export interface AuditSubject {
  /** Null: nobody knows which. */
  readonly org: OrgId | null;
  readonly connection: ConnectionName | null;
  readonly userId: UserId | null;
}

export const noSubject: AuditSubject = { org: null, connection: null, userId: null };

/** Something that happened. It is written once and never changed. */
export interface AuditRecord extends AuditSubject {
  /** 128 random bits in hex. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly actor: AuditActor;
  readonly action: AuditAction;
  readonly outcome: AuditOutcome;
  /** How often, where several of a kind were counted. */
  readonly count: number;
  readonly correlationId: string | null;
  /** Where the call came from. */
  readonly address: string | null;
  readonly detail: AuditDetail;
}

/** The form of a record that is hashed: every field, in a fixed order, details sorted by name. */
export function canonicalRecord(record: AuditRecord): string {
  const { actor, detail } = record;
  const details = Object.keys(detail)
    .sort()
    .map((name) => [name, detail[name]]);
  return JSON.stringify([
    record.id,
    record.at,
    record.org,
    record.connection,
    record.userId,
    [actor.kind, actor.id, actor.name],
    record.action,
    record.outcome,
    record.count,
    record.correlationId,
    record.address,
    details,
  ]);
}

/** `202601`, in UTC: records are kept, chained and purged by month. */
export function monthOf(at: number): string {
  return new Date(at).toISOString().slice(0, 7).replace('-', '');
}

/** `20260131`, in UTC. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10).replaceAll('-', '');
}

/** Midnight of `20260131`, in UTC. */
export function startOfDay(day: string): number {
  return Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6, 8)));
}

/** The month `count` months after, or before, another. */
export function monthAfter(month: string, count = 1): string {
  return monthOf(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(4, 6)) - 1 + count, 1));
}

/** The first month that is still kept. Whole months are purged, so that records live up to a month longer. */
export function oldestKeptMonth(now: number, retentionDays: number): string {
  return monthOf(now - retentionDays * 24 * 60 * 60 * 1000);
}
