import { GLOBAL, type OrgId } from './ids.ts';

export const roles = ['admin', 'operator', 'reader', 'auditor'] as const;
export type Role = (typeof roles)[number];

/** The organisations of a platform caller: every one, and the right to change `GLOBAL`. */
export const everyOrganisation = '*';

/** Whoever calls the API, after authentication. */
export interface Caller {
  /** The id in the API key, or `bootstrap` for the first administrator. */
  readonly id: string;
  readonly name: string;
  /** Either `['*']` or the organisations that the caller may act for. */
  readonly orgIds: readonly string[];
  readonly roles: readonly Role[];
  readonly expiresAt: number | null;
}

/** A caller as it is kept: what `POST /oauth/callers` makes. */
export interface CallerRecord extends Caller {
  /** The id in the API key, `bwl_{keyId}_…`. */
  readonly keyId: string;
  readonly secretSha256: string;
  readonly createdAt: number;
  readonly createdBy: string;
}

export function isPlatformCaller(caller: Caller): boolean {
  return caller.orgIds.includes(everyOrganisation);
}

export function mayActFor(caller: Caller, org: OrgId): boolean {
  return isPlatformCaller(caller) || caller.orgIds.includes(org);
}

export function hasOneOf(caller: Caller, wanted: readonly Role[]): boolean {
  return wanted.some((role) => caller.roles.includes(role));
}

/** Nobody grants organisations or roles that they do not hold. */
export function mayGrant(caller: Caller, granted: Pick<Caller, 'orgIds' | 'roles'>): boolean {
  const orgsHeld = isPlatformCaller(caller) || granted.orgIds.every((org) => caller.orgIds.includes(org));
  return orgsHeld && granted.roles.every((role) => caller.roles.includes(role));
}

/**
 * The organisation of a caller who names none: the only one, or `GLOBAL` for a platform caller.
 * Undefined when there is a choice.
 */
export function defaultOrg(caller: Caller): OrgId | undefined {
  if (isPlatformCaller(caller)) return GLOBAL;
  return caller.orgIds.length === 1 ? (caller.orgIds[0] as OrgId) : undefined;
}
