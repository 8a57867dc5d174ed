import { type Caller, type PrincipalRecord, principalId, unauthenticated } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Cache } from '../../ports/cache.ts';
import type { VerifiedPrincipal } from '../../ports/token-verifier.ts';
import type { Dependencies } from '../dependencies.ts';

/** What is remembered of a principal; one without a record too, where that is enough to be let in. */
export interface KnownPrincipal {
  readonly record: PrincipalRecord | undefined;
}

export type PrincipalNeeds = Pick<Dependencies, 'clock' | 'callers' | 'policy' | 'tokenVerifier'> & {
  /** Lives less than a minute: a principal that is removed, or bound by a record, notices within that. */
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
      if (policy.entraOrgFromTenant) {
        return { kind: 'entra', id, name: id, orgIds: [principal.tenantId], roles: principal.roles, expiresAt: null };
      }
      throw new BrokerError('organization_forbidden', 'You are registered for no organisation.', { detail: id });
    }
    const { name, orgIds, expiresAt } = record;
    if (expiresAt !== null && expiresAt <= clock.now()) throw unauthenticated(`${id}: its registration has expired`);
    const held = principal.roles.filter((role) => record.roles.includes(role));
    return { kind: 'entra', id, name, orgIds, roles: held, expiresAt };
  };
}

async function findRecord(
  { callers, policy, knownPrincipals }: PrincipalNeeds,
  { tenantId, objectId }: VerifiedPrincipal,
): Promise<PrincipalRecord | undefined> {
  const known = knownPrincipals.get(objectId);
  const record = known === undefined ? await callers.principal(objectId) : known.record;
  // One who is let in without a record costs no read at each call. One who is not is let in as soon as there is one.
  if (known === undefined && (record !== undefined || policy.entraOrgFromTenant)) {
    knownPrincipals.set(objectId, { record });
  }
  return record?.tenantId === tenantId ? record : undefined;
}
