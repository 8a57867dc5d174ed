import { BrokerError, type ErrorCode } from './errors.ts';
import { GLOBAL, type OrgId } from './ids.ts';

export const roles = ['admin', 'operator', 'reader', 'auditor'] as const;
export type Role = (typeof roles)[number];

/** The organisations of a platform caller: every one, and the right to change `GLOBAL`. */
export const everyOrganisation = '*';

/** How a caller proves who it is: by an API key, or by a Microsoft Entra access token. */
export const callerKinds = ['api_key', 'entra'] as const;
export type CallerKind = (typeof callerKinds)[number];

/** Whoever calls the API, after authentication. */
export interface Caller {
  readonly kind: CallerKind;
  /** The id in the API key, `bootstrap` for the first administrator, or `entra:{tenant id}:{object id}`. */
  readonly id: string;
  readonly name: string;
  /** Either `['*']` or the organisations that the caller may act for. */
  readonly orgIds: readonly string[];
  readonly roles: readonly Role[];
  readonly expiresAt: number | null;
}

interface KeptCaller extends Caller {
  readonly createdAt: number;
  readonly createdBy: string;
}

/** An API key as it is kept: never the key itself. */
export interface ApiKeyRecord extends KeptCaller {
  readonly kind: 'api_key';
  /** The id in the API key, `bwl_{keyId}_…`. */
  readonly keyId: string;
  readonly secretSha256: string;
  /** Written once a day at most. */
  readonly lastUsedAt: number | null;
  /** The id of the key that took its place. */
  readonly rotatedTo: string | null;
}

/** A user, an application or a managed identity of Microsoft Entra. Its `roles` are the most that its tokens can give. */
export interface PrincipalRecord extends KeptCaller {
  readonly kind: 'entra';
  readonly tenantId: string;
  readonly objectId: string;
}

/** A caller as it is kept: what `POST /oauth/callers` makes. */
export type CallerRecord = ApiKeyRecord | PrincipalRecord;

/** Tenants and objects of Microsoft Entra are named by GUIDs, which its tokens write in lower case. */
const guid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}';
export const entraIdPattern = new RegExp(`^${guid}$`);
export const principalIdPattern = new RegExp(`^entra:${guid}:${guid}$`);
export const keyIdPattern = /^[0-9a-f]{16,32}$/;

export function principalId({ tenantId, objectId }: Pick<PrincipalRecord, 'tenantId' | 'objectId'>): string {
  return `entra:${tenantId}:${objectId}`;
}

/** A principal by the id of its caller, if it is that of one. */
export function principalOfId(id: string): Pick<PrincipalRecord, 'tenantId' | 'objectId'> | undefined {
  if (!principalIdPattern.test(id)) return undefined;
  const [, tenantId = '', objectId = ''] = id.split(':');
  return { tenantId, objectId };
}

const credentialWanted =
  'Send a valid credential: Authorization: Bearer <API key or Entra access token>, or x-api-key: <API key>.';

/** The one answer to whoever has not shown who it is, whatever is wrong. `detail` is for the log. */
export function unauthenticated(detail?: string): BrokerError {
  return new BrokerError('unauthenticated', credentialWanted, detail === undefined ? {} : { detail });
}

/** Somebody has shown who it is, and is not let in all the same. The audit log names it, the answer does not. */
export class KnownCallerRefusedError extends BrokerError {
  readonly caller: Caller;

  constructor(code: ErrorCode, publicMessage: string, { detail, caller }: { detail: string; caller: Caller }) {
    super(code, publicMessage, { detail });
    this.caller = caller;
  }
}

/** The same answer to a caller whose time is over. */
export function expired(
  { kind, id, name, orgIds, roles: held, expiresAt }: Caller,
  detail: string,
): KnownCallerRefusedError {
  // An error is printed here and there: nothing else of a record goes along.
  const caller = { kind, id, name, orgIds, roles: held, expiresAt };
  return new KnownCallerRefusedError('unauthenticated', credentialWanted, { detail, caller });
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
