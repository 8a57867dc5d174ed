import { type Caller, everyOrganisation, mayGrant } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import { GLOBAL } from '../../domain/ids.ts';

/**
 * Nobody grants what they do not hold. Throws `validation_failed` for organisations that do not go together and for
 * an end after the granting caller's own, `organization_forbidden` and `role_required`.
 */
export function assertGrantable(by: Caller, wanted: Pick<Caller, 'orgIds' | 'roles' | 'expiresAt'>): void {
  const wantsAll = wanted.orgIds.includes(everyOrganisation);
  if (wanted.orgIds.includes(GLOBAL) || (wantsAll && wanted.orgIds.length > 1)) {
    const message = 'must name organisations other than GLOBAL, or be ["*"] for all of them and GLOBAL';
    throw new BrokerError('validation_failed', `org_ids ${message}`, { details: [{ path: 'org_ids', message }] });
  }
  if (by.expiresAt !== null && wanted.expiresAt !== null && wanted.expiresAt > by.expiresAt) {
    const message = 'must not be later than your own';
    throw new BrokerError('validation_failed', `expires_at ${message}`, { details: [{ path: 'expires_at', message }] });
  }
  if (mayGrant(by, wanted)) return;
  if (!mayGrant(by, { ...wanted, roles: [] })) {
    throw new BrokerError('organization_forbidden', 'You can grant only organisations that you may act for.');
  }
  throw new BrokerError('role_required', 'You can grant only roles that you hold.');
}
