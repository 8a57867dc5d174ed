import { z } from 'zod';
import { type ConnectionConfig, type FlowType, missingScopes, type ScopeSpelling } from '../../domain/connection.ts';
import { visibleStatus } from '../../domain/grant-status.ts';
import type { StoredGrant } from '../../ports/grant-store.ts';
import { userOf } from '../../usecases/connections/list-grants.ts';
import { failureSchema, presentFailure, statusFields } from './connection.ts';
import { iso, isoTime } from './fields.ts';

export const refreshAnswer = z
  .object({ ...statusFields, expires_at: isoTime.nullable(), refreshed: z.boolean() })
  .meta({ id: 'RefreshAnswer' });

export const grantSummary = z
  .object({
    user_id: z.string(),
    ...statusFields,
    expires_at: isoTime.nullable(),
    granted_scopes: z.string().nullable(),
    missing_scopes: z.array(z.string()),
    has_refresh_token: z.boolean(),
    last_refresh_at: isoTime.nullable(),
    last_used_at: isoTime.nullable(),
    pending_authorization: z.boolean(),
    failure: failureSchema.nullable(),
  })
  .meta({ id: 'GrantSummary' });

export function presentStatus({ grant }: StoredGrant, flowType: FlowType, now: number) {
  const { status, statusReason, statusMessage } = visibleStatus(grant, flowType, now);
  return { status, status_reason: statusReason, status_message: statusMessage };
}

export function presentRefresh(
  stored: StoredGrant,
  flowType: FlowType,
  isRefreshed: boolean,
  now: number,
): z.input<typeof refreshAnswer> {
  return { ...presentStatus(stored, flowType, now), expires_at: iso(stored.grant.expiresAt), refreshed: isRefreshed };
}

export function presentGrant(
  stored: StoredGrant,
  { flowType, scopes }: Pick<ConnectionConfig, 'flowType' | 'scopes'>,
  spelling: ScopeSpelling,
  now: number,
): z.input<typeof grantSummary> {
  const { grant } = stored;
  return {
    user_id: userOf(stored),
    ...presentStatus(stored, flowType, now),
    expires_at: iso(grant.expiresAt),
    granted_scopes: grant.grantedScopes,
    missing_scopes: [...missingScopes(scopes, grant, spelling)],
    has_refresh_token: grant.hasRefreshToken,
    last_refresh_at: iso(grant.lastRefreshAt),
    last_used_at: iso(grant.lastUsedAt),
    pending_authorization: visibleStatus(grant, flowType, now).pendingAuthorization,
    failure: presentFailure(grant),
  };
}
