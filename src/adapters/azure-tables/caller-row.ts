import {
  type ApiKeyRecord,
  type CallerRecord,
  type PrincipalRecord,
  principalId,
  type Role,
  roles,
} from '../../domain/caller.ts';
import type { ApiKeyChange, PrincipalName } from '../../ports/caller-store.ts';
import { type Columns, columnReader, jsonColumn, MalformedRowError, numberColumn, textColumn } from './columns.ts';
import type { Row } from './table.ts';

export const keyPartition = 'keys';
export const principalPartition = 'entra';

export function principalRowKey({ tenantId, objectId }: PrincipalName): string {
  return `${tenantId}_${objectId}`;
}

export function toColumns(caller: CallerRecord): Columns {
  const common = {
    caller_id: caller.id,
    name: caller.name,
    org_ids: jsonColumn(caller.orgIds),
    roles: jsonColumn(caller.roles),
    expires_at: numberColumn(caller.expiresAt),
    created_at: numberColumn(caller.createdAt),
    created_by: caller.createdBy,
  };
  if (caller.kind === 'api_key') {
    return {
      ...common,
      secret_sha256: caller.secretSha256,
      ...toKeyColumns(caller),
    };
  }
  return {
    ...common,
    tenant_id: caller.tenantId,
  };
}

/** The columns of a key that change after it was made. */
export function toKeyColumns(key: Required<ApiKeyChange>): Columns {
  return {
    expires_at: numberColumn(key.expiresAt),
    rotated_to: textColumn(key.rotatedTo),
    last_used_at: numberColumn(key.lastUsedAt),
  };
}

export function toCaller(row: Row): CallerRecord {
  return row.partitionKey === principalPartition ? toPrincipal(row) : toKey(row);
}

export function toKey({ rowKey, columns }: Row): ApiKeyRecord {
  const read = columnReader(columns);
  return {
    kind: 'api_key',
    keyId: rowKey,
    id: read.text('caller_id'),
    ...readCommon(columns),
    secretSha256: read.text('secret_sha256'),
    lastUsedAt: read.optionalNumber('last_used_at'),
    rotatedTo: read.optionalText('rotated_to'),
  };
}

export function toPrincipal({ rowKey, columns }: Row): PrincipalRecord {
  const tenantId = columnReader(columns).text('tenant_id');
  const objectId = rowKey.slice(principalRowKey({ tenantId, objectId: '' }).length);
  return { kind: 'entra', id: principalId({ tenantId, objectId }), tenantId, objectId, ...readCommon(columns) };
}

function readCommon(
  columns: Columns,
): Pick<CallerRecord, 'name' | 'orgIds' | 'roles' | 'expiresAt' | 'createdAt' | 'createdBy'> {
  const read = columnReader(columns);
  const held = read.json<readonly Role[]>('roles') ?? [];
  if (!held.every((role) => roles.includes(role))) throw new MalformedRowError('column roles holds one not known');
  return {
    name: read.text('name'),
    orgIds: read.json<readonly string[]>('org_ids') ?? [],
    roles: held,
    expiresAt: read.optionalNumber('expires_at'),
    createdAt: read.number('created_at'),
    createdBy: read.text('created_by'),
  };
}
