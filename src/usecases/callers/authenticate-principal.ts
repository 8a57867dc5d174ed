import {
  type Caller,
  expired,
  KnownCallerRefusedError,
  type PrincipalRecord,
  principalId,
} from '../../domain/caller.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Cache } from '../../ports/cache.ts';
import type { VerifiedPrincipal } from '../../ports/token-verifier.ts';
import type { Dependencies } from '../dependencies.ts';

/** What is remembered of a principal; one without a record too, where that is enough to be let in. */
export interface KnownPrincipal {
  readonly record: PrincipalRecord | undefined;
}

export type PrincipalNeeds = Pick<Dependencies, 'clock' | 'callers' | 'policy' | 'tokenVerifier'> & {
  /** By caller id. Lives less than a minute: a principal that is removed, or bound by a record, notices within that. */
  readonly knownPrincipals: Cache<KnownPrincipal>;
};

/**
 * Says who an access token was issued to. A principal that is registered acts for the organisations of its record, in
 * those of its token's app roles that the record allows. One that is not registered acts for its tenant as the
 * organisation, in all its app roles, where the deployment says so. Throws `unauthenticated`,
 * `organization_forbidden` and `identity_keys_unavailable`.
 */
export function createAuthenticatePrincipal(needs: PrincipalNeeds): (token: Secret) => Promise<Caller> {
  const { clock, policy, tokenVerifier } = needs;
  return async (token) => {
    const principal = await tokenVerifier.verify(token);
    const id = principalId(principal);
    const record = await findRecord(needs, principal);
    if (record === undefined) {
      const unbound = { kind: 'entra', id, name: id, roles: principal.roles, expiresAt: null } as const;
      if (policy.entraOrgFromTenant) return { ...unbound, orgIds: [principal.tenantId] };
      const message = 'You are registered for no organisation.';
      throw new KnownCallerRefusedError('organization_forbidden', message, {
        detail: id,
        caller: { ...unbound, orgIds: [] },
      });
    }
    const { name, orgIds, expiresAt } = record;
    const held = principal.roles.filter((role) => record.roles.includes(role));
    const caller: Caller = { kind: 'entra', id, name, orgIds, roles: held, expiresAt };
    if (expiresAt !== null && expiresAt <= clock.now()) throw expired(caller, `${id}: its registration has expired`);
    return caller;
  };
}

async function findRecord(
  { callers, policy, knownPrincipals }: PrincipalNeeds,
  { tenantId, objectId }: VerifiedPrincipal,
): Promise<PrincipalRecord | undefined> {
  const id = principalId({ tenantId, objectId });
  const known = knownPrincipals.get(id);
  const record = known === undefined ? await callers.principal({ tenantId, objectId }) : known.record;
  // One who is let in without a record costs no read at each call. One who is not is let in as soon as there is one.
  if (known === undefined && (record !== undefined || policy.entraOrgFromTenant)) {
    knownPrincipals.set(id, { record });
  }
  return record;
}
