import { type Caller, type CallerRecord, everyOrganisation, mayGrant, type Role } from '../../domain/caller.ts';
import { BrokerError } from '../../domain/errors.ts';
import { GLOBAL, type OrgId } from '../../domain/ids.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Cache } from '../../ports/cache.ts';
import type { Dependencies } from '../dependencies.ts';
import { newApiKey } from './api-key.ts';

export interface NewCaller {
  readonly name: string;
  readonly orgIds: readonly string[];
  readonly roles: readonly Role[];
  readonly expiresAt: number | null;
}

export interface ManageCallers {
  /** Makes an API key, which is shown this once. Throws `role_required` or `organization_forbidden` for more than the maker holds. */
  create(by: Caller, caller: NewCaller): Promise<{ readonly record: CallerRecord; readonly apiKey: Secret }>;
  /** Lists the callers of an organisation that hold nothing beyond what the asking caller holds. */
  list(
    by: Caller,
    org: OrgId,
    page: PageRequest,
  ): Promise<{ readonly items: readonly CallerRecord[]; readonly continuation: string | null }>;
  /** Deletes an API key; other processes stop taking it within a minute. Throws `caller_not_found`. */
  remove(by: Caller, org: OrgId, keyId: string): Promise<void>;
}

interface PageRequest {
  readonly limit: number;
  readonly continuation: string | null;
}

type Needs = Pick<Dependencies, 'clock' | 'random' | 'digest' | 'callers'> & { readonly known: Cache<CallerRecord> };

export function createManageCallers({ clock, random, digest, callers, known }: Needs): ManageCallers {
  return {
    async create(by, caller) {
      assertGrantable(by, caller);
      const expiresAt = caller.expiresAt ?? by.expiresAt;
      const { keyId, apiKey } = newApiKey(random);
      const record: CallerRecord = {
        ...caller,
        expiresAt,
        id: keyId,
        keyId,
        secretSha256: digest.sha256Hex(apiKey.reveal()),
        createdAt: clock.now(),
        createdBy: by.id,
      };
      await callers.create(record);
      return { record, apiKey };
    },
    async list(by, org, page) {
      const { items, continuation } = await callers.list(page);
      return { items: items.filter((record) => isVisible(by, org, record)), continuation };
    },
    async remove(by, org, keyId) {
      const record = await callers.get(keyId);
      const isGone = record !== undefined && isVisible(by, org, record) && (await callers.remove(keyId));
      if (!isGone) throw new BrokerError('caller_not_found', `There is no caller "${keyId}" in this organisation.`);
      known.delete(keyId);
    },
  };
}

/** `GLOBAL` is where platform callers act: they see all callers there. */
function isVisible(by: Caller, org: OrgId, record: CallerRecord): boolean {
  const isOfOrg = org === GLOBAL || record.orgIds.includes(org);
  return isOfOrg && (by.orgIds.includes(everyOrganisation) || record.orgIds.every((held) => by.orgIds.includes(held)));
}

function assertGrantable(by: Caller, wanted: NewCaller): void {
  const wantsAll = wanted.orgIds.includes(everyOrganisation);
  if (wanted.orgIds.includes(GLOBAL) || (wantsAll && wanted.orgIds.length > 1)) {
    const message = 'must name organisations other than GLOBAL, or be ["*"] for all of them and GLOBAL';
    throw new BrokerError('validation_failed', `org_ids ${message}`, { details: [{ path: 'org_ids', message }] });
  }
  if (by.expiresAt !== null && wanted.expiresAt !== null && wanted.expiresAt > by.expiresAt) {
    const message = 'must not be later than that of your own key';
    throw new BrokerError('validation_failed', `expires_at ${message}`, { details: [{ path: 'expires_at', message }] });
  }
  if (mayGrant(by, wanted)) return;
  if (!mayGrant(by, { ...wanted, roles: [] })) {
    throw new BrokerError('organization_forbidden', 'You can grant only organisations that you may act for.');
  }
  throw new BrokerError('role_required', 'You can grant only roles that you hold.');
}
