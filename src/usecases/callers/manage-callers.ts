import {
  type ApiKeyRecord,
  type Caller,
  type CallerRecord,
  isPlatformCaller,
  mayActFor,
  type PrincipalRecord,
  principalId,
  type Role,
} from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import type { OrgId } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Dependencies } from '../dependencies.ts';
import { newApiKey } from './api-key.ts';
import { assertGrantable } from './grantable.ts';
import { callerNotFound, createRemoveCaller, isVisible, type KnownCallers } from './remove-caller.ts';
import { createRotateKey, type RotateKey } from './rotate-key.ts';

export interface NewCaller {
  readonly name: string;
  readonly orgIds: readonly string[];
  readonly roles: readonly Role[];
  readonly expiresAt: number | null;
}

export interface NewPrincipal extends Omit<NewCaller, 'roles'>, Pick<PrincipalRecord, 'tenantId' | 'objectId'> {
  /** The most that its tokens' app roles can give. Left out: the roles of whoever registers it. */
  readonly roles: readonly Role[] | undefined;
}

export interface ManageCallers {
  /** Makes an API key, which is shown this once. Throws `role_required` or `organization_forbidden` for more than the maker holds. */
  create(by: Caller, caller: NewCaller): Promise<{ readonly record: ApiKeyRecord; readonly apiKey: Secret }>;
  /**
   * Registers a principal of Microsoft Entra. It takes a platform caller, or, where a tenant is an organisation, one who
   * may act for the principal's tenant. Throws as `create`, and `caller_exists` when it is registered already.
   */
  register(by: Caller, principal: NewPrincipal): Promise<PrincipalRecord>;
  rotate: RotateKey;
  /** Lists the callers of an organisation that hold nothing beyond what the asking caller holds. */
  list(
    by: Caller,
    org: OrgId,
    page: PageRequest,
  ): Promise<{ readonly items: readonly CallerRecord[]; readonly continuation: string | null }>;
  /** Deletes a caller; other processes stop taking it within a minute. Throws `caller_not_found`. */
  remove(by: Caller, org: OrgId, id: string): Promise<void>;
}

interface PageRequest {
  readonly limit: number;
  readonly continuation: string | null;
}

type Needs = KnownCallers & Pick<Dependencies, 'clock' | 'random' | 'digest' | 'policy'>;

export function createManageCallers(needs: Needs): ManageCallers {
  const { clock, callers, policy } = needs;
  const removeCaller = createRemoveCaller(needs);
  return {
    async create(by, caller) {
      assertGrantable(by, caller);
      const made = newApiKey(needs, { ...caller, expiresAt: caller.expiresAt ?? by.expiresAt, createdBy: by.id });
      await callers.create(made.record);
      return made;
    },
    async register(by, { tenantId, objectId, name, orgIds, roles = by.roles, expiresAt }) {
      assertGrantable(by, { orgIds, roles, expiresAt });
      assertMayBind(by, tenantId, policy);
      if (!policy.entraTenantIds.includes(tenantId)) {
        const message = 'must be a tenant whose tokens this deployment takes (ENTRA_TENANT_ID)';
        throw new BrokerError('validation_failed', `tenant_id ${message}`, {
          details: [{ path: 'tenant_id', message }],
        });
      }
      const record: PrincipalRecord = {
        kind: 'entra',
        id: principalId({ tenantId, objectId }),
        tenantId,
        objectId,
        name,
        orgIds,
        roles,
        expiresAt: expiresAt ?? by.expiresAt,
        createdAt: clock.now(),
        createdBy: by.id,
      };
      if (!(await callers.create(record))) {
        throw new BrokerError('caller_exists', 'This principal is registered already. Delete that registration first.');
      }
      needs.knownPrincipals.delete(record.id);
      return record;
    },
    rotate: createRotateKey(needs),
    async list(by, org, page) {
      const { items, continuation } = await callers.list(page);
      return { items: items.filter((record) => isVisible(by, org, record)), continuation };
    },
    async remove(by, org, id) {
      if (!(await removeCaller(by, org, id))) throw callerNotFound(id);
    },
  };
}

/**
 * A registration says for whom somebody else's service acts. Whoever could make it for any tenant's principals would
 * bind those of another organisation to their own.
 */
function assertMayBind(by: Caller, tenantId: string, policy: Pick<Needs['policy'], 'entraOrgFromTenant'>): void {
  if (isPlatformCaller(by)) return;
  if (!policy.entraOrgFromTenant) {
    throw new BrokerError(
      'organization_forbidden',
      'Only a platform caller (org_ids ["*"]) registers principals here.',
    );
  }
  if (!mayActFor(by, tenantId as OrgId)) {
    throw new BrokerError('organization_forbidden', 'You can register only principals of a tenant you may act for.');
  }
}
