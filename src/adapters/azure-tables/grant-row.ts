import { createHash } from 'node:crypto';
import { providerErrorCodes } from '../../domain/errors.ts';
import {
  type Failure,
  type Grant,
  type GrantKey,
  grantStatuses,
  type PendingAuthorization,
  statusReasons,
} from '../../domain/grant.ts';
import type { ConnectionName, OrgId, UserId } from '../../domain/ids.ts';
import type { RowVersion, StoredGrant } from '../../ports/grant-store.ts';
import { type Columns, columnReader, jsonColumn, MalformedRowError, numberColumn, textColumn } from './columns.ts';
import type { Place, Row } from './table.ts';

/** Whose lease a row carries. No owner: nobody holds one. */
const leaseColumns = ['lease_owner', 'attempt', 'committed_attempt', 'earlier_attempts', 'outcome_unknown'];

/** What a row of `OAuthConnections` and one of `OAuthUserGrants` have in common: a grant without its tokens. */
export const grantColumns: readonly string[] = [
  'status',
  'status_reason',
  'status_message',
  'generation',
  'seq',
  'grant_endpoints_id',
  'has_tokens',
  'has_refresh_token',
  'is_fallback',
  'granted_scopes',
  'expires_at',
  'life_seconds',
  'due_at',
  'connected_at',
  'last_refresh_at',
  'last_used_at',
  'failure',
  'pending',
  ...leaseColumns,
];

/** What says whose grant a row of `OAuthUserGrants` is: its key holds only a hash. */
export const userGrantColumns: readonly string[] = ['org', 'connection_org', 'connection', 'user_id', ...grantColumns];

export function toGrantColumns(grant: Grant): Columns {
  return {
    status: grant.status,
    status_reason: textColumn(grant.statusReason),
    status_message: textColumn(grant.statusMessage),
    generation: grant.generation,
    seq: numberColumn(grant.seq),
    grant_endpoints_id: grant.endpointsId,
    has_tokens: grant.hasTokens,
    has_refresh_token: grant.hasRefreshToken,
    is_fallback: grant.isFallback,
    granted_scopes: textColumn(grant.grantedScopes),
    expires_at: numberColumn(grant.expiresAt),
    life_seconds: numberColumn(grant.lifeSeconds),
    due_at: numberColumn(grant.dueAt),
    connected_at: numberColumn(grant.connectedAt),
    last_refresh_at: numberColumn(grant.lastRefreshAt),
    last_used_at: numberColumn(grant.lastUsedAt),
    failure: jsonColumn(grant.failure),
    pending: jsonColumn(grant.pending),
  };
}

export function toGrant(columns: Columns): Grant {
  const read = columnReader(columns);
  const failure = read.json<Failure>('failure');
  if (failure !== null && !providerErrorCodes.includes(failure.code)) {
    throw new MalformedRowError('column failure holds a code that is not known');
  }
  return {
    status: read.oneOf('status', grantStatuses),
    statusReason: read.optionalOneOf('status_reason', statusReasons),
    statusMessage: read.optionalText('status_message'),
    generation: read.text('generation'),
    seq: read.number('seq'),
    endpointsId: read.text('grant_endpoints_id'),
    hasTokens: read.flag('has_tokens'),
    hasRefreshToken: read.flag('has_refresh_token'),
    isFallback: read.flag('is_fallback'),
    grantedScopes: read.optionalText('granted_scopes'),
    expiresAt: read.optionalNumber('expires_at'),
    lifeSeconds: read.optionalNumber('life_seconds'),
    dueAt: read.optionalNumber('due_at'),
    connectedAt: read.optionalNumber('connected_at'),
    lastRefreshAt: read.optionalNumber('last_refresh_at'),
    lastUsedAt: read.optionalNumber('last_used_at'),
    failure,
    pending: read.json<PendingAuthorization>('pending'),
  };
}

/** Where the lease on a grant stands. */
export interface Lease {
  /** Empty: nobody. */
  readonly owner: string;
  readonly attempt: string;
  /** The last attempt whose outcome was written. */
  readonly committedAttempt: string;
  /** The few before, newest first: they tell a commit that was overtaken from one that was never applied. */
  readonly earlierAttempts: readonly string[];
  /** A holder vanished without a commit, and no token set has been written since. */
  readonly isOutcomeUnknown: boolean;
}

export const noLease: Lease = {
  owner: '',
  attempt: '',
  committedAttempt: '',
  earlierAttempts: [],
  isOutcomeUnknown: false,
};

export function toLeaseColumns(lease: Lease): Columns {
  return {
    lease_owner: lease.owner,
    attempt: lease.attempt,
    committed_attempt: lease.committedAttempt,
    earlier_attempts: lease.earlierAttempts.join(' '),
    outcome_unknown: lease.isOutcomeUnknown,
  };
}

export function toLease(columns: Columns): Lease {
  const read = columnReader(columns);
  return {
    owner: read.text('lease_owner'),
    attempt: read.text('attempt'),
    committedAttempt: read.text('committed_attempt'),
    earlierAttempts: read
      .text('earlier_attempts')
      .split(' ')
      .filter((attempt) => attempt !== ''),
    isOutcomeUnknown: read.flag('outcome_unknown'),
  };
}

/**
 * The partition of users' grants. Those of another organisation's connection (`GLOBAL`) have one of their own, so
 * that they do not meet those of the organisation's connection of the same name.
 */
export function userPartition({ connectionOrg, org, connection }: Omit<GrantKey, 'userId'>): string {
  return connectionOrg === org ? `${org}|${connection}` : `${org}|${connectionOrg}|${connection}`;
}

export function userGrantPlace(key: GrantKey & { readonly userId: UserId }): Place {
  return {
    partitionKey: userPartition(key),
    rowKey: createHash('sha256').update(key.userId).digest('base64url'),
  };
}

export function toUserKeyColumns(key: GrantKey & { readonly userId: UserId }): Columns {
  return { org: key.org, connection_org: key.connectionOrg, connection: key.connection, user_id: key.userId };
}

function toUserKey(columns: Columns): GrantKey {
  const read = columnReader(columns);
  return {
    org: read.text('org') as OrgId,
    connectionOrg: read.text('connection_org') as OrgId,
    connection: read.text('connection') as ConnectionName,
    userId: read.text('user_id') as UserId,
  };
}

/** A user's grant as its row says. Throws `MalformedRowError` when the row lies where that grant does not belong. */
export function toUserGrant(row: Row): StoredGrant {
  const key = toUserKey(row.columns);
  const place = userGrantPlace(key as GrantKey & { userId: UserId });
  if (place.partitionKey !== row.partitionKey || place.rowKey !== row.rowKey) {
    throw new MalformedRowError('the row lies in a place of another grant');
  }
  return toStoredGrant(key, row);
}

/** A grant with its row, which the port's users carry around without looking in. */
export function toStoredGrant(key: GrantKey, row: Row): StoredGrant {
  return { key, grant: toGrant(row.columns), row: row as unknown as RowVersion };
}

export function rowOf(stored: StoredGrant): Row {
  return stored.row as unknown as Row;
}
