import {
  type ApiKeyRecord,
  type Caller,
  type CallerRecord,
  everyOrganisation,
  principalOfId,
} from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import { GLOBAL, type OrgId } from '../../domain/ids.ts';
import type { Cache } from '../../ports/cache.ts';
import type { Dependencies } from '../dependencies.ts';
import type { KnownPrincipal } from './authenticate-principal.ts';

export type KnownCallers = Pick<Dependencies, 'callers'> & {
  readonly knownKeys: Cache<ApiKeyRecord>;
  readonly knownPrincipals: Cache<KnownPrincipal>;
};

/** `GLOBAL` is where platform callers act: they see all callers there. */
export function isVisible(by: Caller, org: OrgId, record: CallerRecord): boolean {
  const isOfOrg = org === GLOBAL || record.orgIds.includes(org);
  return isOfOrg && (by.orgIds.includes(everyOrganisation) || record.orgIds.every((held) => by.orgIds.includes(held)));
}

export function callerNotFound(id: string): BrokerError {
  return new BrokerError('caller_not_found', `There is no caller "${id}" in this organisation.`);
}

/** Deletes a caller of either kind, if `by` may see it. Resolves to false when there is none. */
export function createRemoveCaller({ callers, knownKeys, knownPrincipals }: KnownCallers) {
  return async (by: Caller, org: OrgId, id: string): Promise<boolean> => {
    const principal = principalOfId(id);
    const record = await (principal === undefined ? callers.key(id) : callers.principal(principal));
    if (record?.id !== id || !isVisible(by, org, record)) return false;
    const isRemoved = await (principal === undefined ? callers.removeKey(id) : callers.removePrincipal(principal));
    (principal === undefined ? knownKeys : knownPrincipals).delete(id);
    return isRemoved;
  };
}
